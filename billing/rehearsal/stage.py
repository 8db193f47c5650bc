"""The rehearsal's stage: a fresh house in a folder of its own, its web server for Stripe's events, the clock."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from datetime import datetime
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.wsgi import get_wsgi_application

from membership import celery, clock
from membership.bootstrap import data_folder, demo

PROGRAMME = "laurel"


def prepare(*, start: datetime) -> None:
    """Databases, programme and a prepared local Stripe, the clock at `start`.

    Raises CommandError where there is life already.
    """
    if settings.VIP_MODE != "demo" or not settings.LOCAL_STRIPE_INSTALLED:
        raise CommandError("A rehearsal runs with VIP_MODE=demo, on the local Stripe.")
    if (settings.VIP_DATA / "vip.sqlite3").exists():
        raise CommandError(f"{settings.VIP_DATA} holds a demo: give the rehearsal a folder of its own with VIP_DATA.")
    celery.app.conf.update(broker_url="memory://localhost/")  # the bells are answered here: see time_travel
    clock.turn_to(start)
    demo.migrate()
    data_folder.collect_static()
    secret = settings.STRIPE_WEBHOOK_SECRETS[0]
    for command, *args in (
        ("load_programme", PROGRAMME),
        ("local_stripe_boot", f"--url={settings.BASE_URL}/webhooks/stripe/", f"--secret={secret}"),
        ("stripe_setup",),
    ):
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            call_command(command, *args, stdout=nowhere)


class Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Nobody reads it."""


@contextlib.contextmanager
def open_door() -> Iterator[None]:
    """The product answers at BASE_URL while this lasts: Stripe's events come by real, signed POSTs."""
    with make_server("127.0.0.1", settings.PORT, get_wsgi_application(), handler_class=Silent) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
