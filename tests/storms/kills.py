"""Workers that are killed with -9 at random moments: real processes on a real database.

A life is forked off this process, which has imported everything, so that it costs milliseconds instead of a start of
Python. It does what beat rings for, in an order of its own, until it is killed or finds nothing left to do. What it
mails is written down outside every database, as a mail server would have it.
"""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
import warnings
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import connections

from billing.models import Notice, Operation, Refund, StripeEvent
from membership import celery
from membership import clock as product_clock
from membership.models import Message
from membership.supervisor import die_with_parent

if TYPE_CHECKING:
    from tests.moment import Clock

AT_ONCE = 2
LIFE = 0.12  # seconds until one of them is killed, on average: enough to get a row or two done


class Workers:
    """Keeps AT_ONCE workers alive and kills one of them now and then. `kills` counts; `mails` is what went out."""

    def __init__(self, folder: Path, clock: Clock, seed: int) -> None:
        self.log, self.clock, self.rng = folder / "mails", clock, random.Random(seed)
        self.trouble = folder / "trouble"
        self.alive: set[int] = set()
        self.killed: set[int] = set()
        self.log.touch()

    @property
    def kills(self) -> int:
        return len(self.killed)

    def work(self, *, most: float = 600) -> None:
        """Let them live and die until nothing is left to do. Raises AssertionError after `most` seconds."""
        deadline = time.monotonic() + most
        connections.close_all()
        try:
            while not self._nothing_left():
                assert time.monotonic() < deadline, f"after {most:g} s still not done: {left()}"
                self.clock.move(seconds=1)  # what failed is tried again by the product's clock
                while len(self.alive) < AT_ONCE:
                    self._fork()
                time.sleep(self.rng.expovariate(AT_ONCE / LIFE) * slowness())
                self._kill_one()
        finally:
            self.end()

    def _nothing_left(self) -> bool:
        """Whether nothing is left: asked when a worker goes home by itself. What failed waits, so time goes on then."""
        for pid in list(self.alive):
            gone, status = os.waitpid(pid, os.WNOHANG)
            if gone:
                self.alive.discard(pid)
                assert status == 0, self.trouble.read_text()
                over = not left()
                connections.close_all()
                if over:
                    return True
                self.clock.move(minutes=10)
        return False

    def _kill_one(self) -> None:
        pid = self.rng.choice(sorted(self.alive))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        self.alive.discard(pid)
        if os.WIFSIGNALED(status):
            self.killed.add(pid)

    def end(self) -> None:
        while self.alive:
            pid = self.alive.pop()
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _fork(self) -> None:
        seed = self.rng.random()
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # a test runner's own threads: they hold nothing of ours
            pid = os.fork()
        if pid:
            self.alive.add(pid)
            return
        try:
            die_with_parent(signal.SIGKILL)
            self._live(random.Random(seed))
            os._exit(0)
        except BaseException:
            self.trouble.write_text(traceback.format_exc())
            os._exit(1)

    def _live(self, rng: random.Random) -> None:
        sweeps = [entry["task"] for entry in celery.schedule().values()]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(EmailMultiAlternatives, "send", lambda letter: self._mailed(letter))
            while left(due=True):
                for name in rng.sample(sweeps, len(sweeps)):
                    celery.app.tasks[name]()
                time.sleep(0.01)

    def _mailed(self, letter: EmailMultiAlternatives) -> int:
        with self.log.open("a") as log:  # one short line is written whole, or not at all
            log.write(f"{os.getpid()} {letter.extra_headers['Message-ID']}\n")
        return 1

    def check_mails(self) -> None:
        """Every letter went out; each death made at most one go out again, and under the same id."""
        senders: dict[str, list[int]] = defaultdict(list)
        for line in self.log.read_text().splitlines():
            pid, _, letter = line.partition(" ")
            senders[letter].append(int(pid))
        written = Message.objects.filter(parked_reason="").count()
        assert len(senders) == written, f"{written} letters were written and {len(senders)} sent"
        causes = Counter(pid for pids in senders.values() for pid in pids[:-1])
        assert set(causes) <= self.killed, "a letter was sent again though its sender lived"
        assert max(causes.values(), default=0) <= 1, f"one death, several letters again: {causes.most_common(3)}"


def slowness() -> float:
    """How much longer than on an idle machine things take just now: a busy one would kill workers that did nothing."""
    began, cpu = time.perf_counter(), time.thread_time()
    while time.thread_time() - cpu < 0.002:
        pass
    return (time.perf_counter() - began) / (time.thread_time() - cpu)


def left(*, due: bool = False) -> dict[str, int]:
    """What still waits for a worker, or what is due by now: nothing of it may be left in the end."""
    at = product_clock.now()
    by_now = {"due_at__lte": at} if due else {}
    asked = {"look_at__lte": at} if due else {}
    waiting = {
        "events": StripeEvent.objects.filter(done_at=None, **by_now),
        "letters": Message.objects.filter(done_at=None, **by_now),
        "notices": Notice.objects.filter(done_at=None, due_at__lte=at),
        "operations": Operation.objects.filter(state=Operation.State.UNKNOWN, **asked),
        "refunds": Refund.objects.filter(state=Refund.State.NOTED),
    }
    return {name: count for name, rows in waiting.items() if (count := rows.count())}
