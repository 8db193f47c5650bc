"""Keeps a set of programs running: `manage.py up` is its only caller.

A program that ends is started again, after a pause that grows while it keeps failing. SIGTERM or SIGINT stops all of
them in order. One thread, one loop: children are forked from it, which makes the death signal below safe to use.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PAUSES = (0.5, 1, 2, 5, 10, 30)  # seconds before a program that failed is started again; the last one repeats
HEALTHY = 30.0  # seconds after which a program counts as running, and its next pause is the first one again
STOP_GRACE = 10.0  # seconds a program has to end by itself
PATIENCE = 20.0  # seconds that a program waits for the one it comes after, which may never end well
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
# Where the kernel does not tell a child of its parent's death, a shell beside each child watches for it.
WATCH = (
    'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 1; done; kill -s TERM -- "-$2" 2>/dev/null'
)


def die_with_parent(by: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel to send this process `by` when its parent ends. Linux only; elsewhere it does nothing."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, by)


@dataclass
class Program:
    """One command to keep running. `once` means that it may end by itself, when it ended well. `after`: such a one that
    has the machine first; this one starts when it has ended well, or PATIENCE later."""

    name: str
    command: Sequence[str]
    once: bool = False
    stop_last: bool = False
    after: Program | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started: float = field(default=0.0, init=False)
    failures: int = field(default=0, init=False)
    start_at: float | None = field(default=0.0, init=False)  # None: it runs, or is done
    done: bool = field(default=False, init=False)

    @property
    def running(self) -> bool:
        return self.process is not None


class Supervisor:
    """Runs programs until it is told to stop.

    `say(line)` gets what they print, each line with its program's name; `every_second()` is called about that often.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        say: Callable[[str], object],
        every_second: Callable[[], object] = lambda: None,
        kernel_tells: bool = LIBC is not None,
    ) -> None:
        self.programs = programs
        self.say = say
        self.every_second = every_second
        self.kernel_tells = kernel_tells
        self.stopping = False
        self.began = 0.0
        self.outputs = selectors.DefaultSelector()
        self.width = max(len(program.name) for program in programs)

    def run(self) -> None:
        """Start all, keep them running, return when a signal has stopped them."""
        before = {number: signal.signal(number, self._ask_to_stop) for number in (signal.SIGTERM, signal.SIGINT)}
        self.began, ticked = time.monotonic(), 0.0
        try:
            while not self.stopping:
                self._start_what_is_due()
                self._pass_on_output(wait=0.1)
                self._notice_the_ended()
                if time.monotonic() - ticked >= 1:
                    ticked = time.monotonic()
                    self.every_second()
        finally:
            self._stop([program for program in self.programs if not program.stop_last])
            self._stop([program for program in self.programs if program.stop_last])
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask_to_stop(self, *_: object) -> None:
        self.stopping = True

    def _start_what_is_due(self) -> None:
        now = time.monotonic()
        for program in self.programs:
            waits = program.after is not None and not program.after.done and now < self.began + PATIENCE
            if program.start_at is not None and program.start_at <= now and not waits:
                self._start(program)

    def _start(self, program: Program) -> None:
        """In a process group of its own: Ctrl-C reaches only the supervisor, and what a program leaves can be ended."""
        mother = os.getpid()

        def born() -> None:
            die_with_parent()
            if os.getppid() != mother:  # it ended before the kernel was asked
                os._exit(1)

        program.process = subprocess.Popen(  # noqa: S603  # our own commands
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
            preexec_fn=born if self.kernel_tells else None,
        )
        if not self.kernel_tells:
            watch = ["/bin/sh", "-c", WATCH, "watch", str(mother), str(program.process.pid)]
            subprocess.Popen(watch, start_new_session=True, stdin=subprocess.DEVNULL)  # noqa: S603
        program.started, program.start_at = time.monotonic(), None
        assert program.process.stdout is not None
        os.set_blocking(program.process.stdout.fileno(), False)
        self.outputs.register(program.process.stdout, selectors.EVENT_READ, Lines(program))

    def _pass_on_output(self, wait: float) -> None:
        for key, _ in self.outputs.select(wait):
            stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
            chunk = stream.read(65536)
            if not chunk:
                self.outputs.unregister(stream)
            for line in key.data.cut(chunk or b""):
                self.say(f"{key.data.program.name:<{self.width}} | {line}")

    def _notice_the_ended(self) -> None:
        for program in self.programs:
            if program.process is not None and (code := program.process.poll()) is not None:
                self._clear_away(program)
                self._decide_what_next(program, code)

    def _decide_what_next(self, program: Program, code: int) -> None:
        if program.once and code == 0:
            program.done = True
            return
        lasted = time.monotonic() - program.started
        program.failures = 1 if lasted > HEALTHY else program.failures + 1
        pause = PAUSES[min(program.failures, len(PAUSES)) - 1]
        program.start_at = time.monotonic() + pause
        self.say(f"{program.name:<{self.width}} | ended ({_how(code)}); starting it again in {pause:g} s")

    def _clear_away(self, program: Program) -> None:
        """Read what it said last, and end what it left behind: a worker's orphan would work beside its successor."""
        assert program.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.process.pid, signal.SIGKILL)
        self._pass_on_output(wait=0)
        program.process.wait()
        stream = program.process.stdout
        assert stream is not None
        if stream in self.outputs.get_map():
            self.outputs.unregister(stream)
        stream.close()
        program.process = None

    def _stop(self, programs: Sequence[Program]) -> None:
        running = [program for program in programs if program.process is not None]
        for program in running:
            program.start_at = None
            with contextlib.suppress(ProcessLookupError):
                program.process.terminate()  # type: ignore[union-attr]
        deadline = time.monotonic() + STOP_GRACE
        while running and time.monotonic() < deadline:
            self._pass_on_output(wait=0.05)
            running = [program for program in running if program.process and program.process.poll() is None]
        for program in programs:
            if program.process is not None:
                self._clear_away(program)


class Lines:
    """Cuts one program's output into lines."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.rest = b""

    def cut(self, chunk: bytes) -> list[str]:
        """The whole lines so far; an empty chunk is the end, and gives what is left."""
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        if not chunk and self.rest:
            lines, self.rest = [*lines, self.rest], b""
        return [line.decode(errors="replace").rstrip() for line in lines]


def _how(code: int) -> str:
    return f"exit {code}" if code >= 0 else signal.Signals(-code).name
