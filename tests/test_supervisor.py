"""The supervisor starts again what ends, stops all when told, and leaves nothing behind even when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from membership.supervisor import Lines, Program, Supervisor
from tests.processes import until

SOON = 15  # seconds


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().split()[2] != "Z"
    except FileNotFoundError:
        return False


def pids(folder, name: str) -> list[int]:
    path = folder / name
    return [int(line) for line in path.read_text().split()] if path.exists() else []


@pytest.fixture
def supervised(tmp_path):
    """supervised("kernel") starts the set in a process of its own, and waits until all of it runs."""
    started = []

    def start(way: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", "tests.supervised", way, str(tmp_path)])
        started.append(process)
        until(lambda: pids(tmp_path, "first") and pids(tmp_path, "child"), "both run", seconds=SOON)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def everyone(folder) -> list[int]:
    return [pid for name in ("first", "second", "child") for pid in pids(folder, name)]


class TestStopping:
    def test_a_signal_stops_all_and_the_supervisor_ends_well(self, supervised, tmp_path):
        process = supervised("kernel")

        process.terminate()

        assert process.wait(timeout=15) == 0
        assert [pid for pid in everyone(tmp_path) if alive(pid)] == []

    @pytest.mark.parametrize("way", ["kernel", "watch"])
    def test_a_killed_supervisor_leaves_no_program_behind(self, supervised, tmp_path, way):
        process = supervised(way)

        process.kill()
        process.wait()

        def left() -> list[int]:
            return [pid for name in ("first", "second") for pid in pids(tmp_path, name) if alive(pid)]

        until(lambda: not left(), "nothing is left behind", seconds=SOON)


class TestStartingAgain:
    def test_a_killed_program_is_back_and_what_it_left_is_gone(self, supervised, tmp_path):
        supervised("kernel")
        (second,), (child,) = pids(tmp_path, "second"), pids(tmp_path, "child")

        os.kill(second, signal.SIGKILL)

        until(lambda: len(pids(tmp_path, "second")) == 2, "it was started again", seconds=SOON)
        assert alive(pids(tmp_path, "second")[1])
        assert not alive(child)

    def test_one_that_may_end_is_left_alone_when_it_ended_well(self, tmp_path):
        said: list[str] = []
        program = Program("once", ["/bin/sh", "-c", "echo done"], once=True)
        supervisor = Supervisor([program], say=said.append)
        threading.Timer(1.5, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()

        supervisor.run()

        assert said == ["once | done"]

    def test_one_that_comes_after_another_waits_for_its_good_end(self, tmp_path):
        first = Program("first", [sys.executable, "-c", "import time; time.sleep(0.5); print('ready')"], once=True)
        second = Program("second", [sys.executable, "-c", "print('here')"], once=True, after=first)

        assert self.lines_of([second, first]) == ["first  | ready", "second | here"]

    def test_but_not_for_ever(self, monkeypatch):
        monkeypatch.setattr("membership.supervisor.PATIENCE", 0.5)
        first = Program("first", [sys.executable, "-c", "raise SystemExit(3)"], once=True)
        second = Program("second", [sys.executable, "-c", "print('here')"], once=True, after=first)

        assert "second | here" in self.lines_of([second, first])

    def lines_of(self, programs) -> list[str]:
        """What they say until `second` has said something."""
        lines: list[str] = []
        supervisor = Supervisor(programs, say=lines.append)
        stop = threading.Thread(
            target=lambda: (
                until(lambda: any("second" in line for line in lines), "it speaks"),
                supervisor._ask_to_stop(),
            )
        )
        stop.start()
        supervisor.run()
        stop.join()
        return lines

    def test_pauses_grow_while_it_keeps_failing(self, tmp_path):
        said: list[str] = []
        supervisor = Supervisor([Program("bad", ["/bin/sh", "-c", "exit 3"])], say=said.append)
        threading.Timer(2.5, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()

        supervisor.run()

        assert said[:2] == [
            "bad | ended (exit 3); starting it again in 0.5 s",
            "bad | ended (exit 3); starting it again in 1 s",
        ]


class TestLines:
    def test_a_line_is_passed_on_once_it_is_whole(self):
        lines = Lines(Program("web", []))

        assert lines.cut(b"one\ntw") == ["one"]
        assert lines.cut(b"o\n") == ["two"]
        assert lines.cut(b"left") == []
        assert lines.cut(b"") == ["left"]
