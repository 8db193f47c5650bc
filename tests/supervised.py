"""A small supervised set for test_supervisor.py: `python -m tests.supervised kernel|watch FOLDER`.

Two programs that note their process id and then sleep; one of them has a child of its own.
"""

from __future__ import annotations

import sys

from membership.supervisor import Program, Supervisor

SLEEPER = 'echo $$ >> "$0/first"; exec sleep 60'
MOTHER = 'echo $$ >> "$0/second"; sleep 60 & echo $! >> "$0/child"; wait'


def main(way: str, folder: str) -> None:
    programs = [
        Program("first", ["/bin/sh", "-c", SLEEPER, folder]),
        Program("second", ["/bin/sh", "-c", MOTHER, folder], stop_last=True),
    ]
    Supervisor(programs, say=print, kernel_tells=way == "kernel").run()


if __name__ == "__main__":
    main(*sys.argv[1:])
