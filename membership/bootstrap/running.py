"""What runs in an installation, and the running of it."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management import CommandError

from membership import clock
from membership.bootstrap import data_folder
from membership.supervisor import Program, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WEB_THREADS = 16  # a page of the demo may call this same server: the shop asks the API, the local Stripe posts events
MANAGE = [sys.executable, str(settings.ROOT / "manage.py")]


def programs(*, host: str, only: str | None = None) -> list[Program]:
    """Web, worker and beat, and deliveries of the local Stripe if there is one; or `only` one of the first three."""
    kept = [
        # The worker's last tasks may still want an answer: the web server goes last.
        Program("web", _web(host), stop_last=True),
        Program("worker", _worker()),
        # Not inside the worker (`--beat`): nobody would start it again when it alone dies, and all sweeps would cease.
        Program("beat", _celery("beat")),
    ]
    if only:
        return [program for program in kept if program.name == only]
    if settings.LOCAL_STRIPE_INSTALLED:
        kept.append(Program("stripe", [*MANAGE, "local_stripe"]))
    return kept


def _web(host: str) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--http", "1"),
        *("--host", host, "--port", str(settings.PORT)),
        *("--workers", str(settings.WEB_WORKERS), "--blocking-threads", str(WEB_THREADS)),
        *("--respawn-failed-workers", "--workers-kill-timeout", "5s", "--log-level", "error"),
        "membership.wsgi:application",
    ]


def _worker() -> list[str]:
    return [*_celery("worker"), "--concurrency", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"]


def _celery(command: str) -> list[str]:
    calm = ["-W", "ignore:You're running the worker with superuser"]  # in a container everybody does
    return [sys.executable, *calm, "-m", "celery", "--quiet", "--app", "membership", command, "--loglevel", "WARNING"]


def refuse_a_taken_port(host: str) -> None:
    """Raises CommandError when somebody already listens there: the web server would only fail again and again."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, settings.PORT))
        except OSError as error:
            raise CommandError(
                f"Port {settings.PORT} cannot be used ({error.strerror}): set PORT to a free one, "
                f"as in PORT={settings.PORT + 1}."
            ) from None


def run(kept: Sequence[Program], *, say: Callable[[str], object]) -> None:
    """Run until stopped. The demo's clock goes while this runs and stands still while it does not."""
    data_folder.make_queue()
    if settings.VIP_CLOCK != "membership.clock.demo":
        Supervisor(kept, say=say).run()
        return
    clock.go_on()
    try:
        # Noted each second, not only at the end: the demo may be killed.
        Supervisor(kept, say=say, every_second=clock.stand_still).run()
    finally:
        clock.stand_still()
