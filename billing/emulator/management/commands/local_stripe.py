"""The local Stripe's own process: keeps its time and delivers its events, until told to stop."""

from __future__ import annotations

import logging
import signal
import threading
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from django.db import OperationalError, connections

from billing.emulator import api, delivery, timeline
from billing.emulator.routers import ALIAS

if TYPE_CHECKING:
    from argparse import ArgumentParser

log = logging.getLogger("vip.local_stripe")


class Command(BaseCommand):
    help = "Deliver events to webhook endpoints and let time pass (expiring sessions, scheduled ends)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round over what is due, then stop")
        parser.add_argument("--pause", type=float, default=0.25, help="seconds between rounds with nothing to do")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        if options["once"]:
            one_round()
            return
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        log.info("the local Stripe delivers events (%d modules)", len(api.MODULES))
        while not stop.is_set():
            if not _steady_round():
                stop.wait(options["pause"])


def one_round() -> int:
    """What is due by now: first what time does, then what is to be told. Returns how much there was."""
    return timeline.catch_up() + delivery.deliver_due(most=20)


def _steady_round() -> int:
    """A round that outlives a locked or vanished database file."""
    try:
        return one_round()
    except OperationalError as error:
        log.warning("the local Stripe's database is not ready: %s", error)
        connections[ALIAS].close()
        return 0
