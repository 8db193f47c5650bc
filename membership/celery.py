"""Celery: a doorbell. Messages carry ids only and may be lost or doubled; the rows say what is due (work.py).

Each app lists what is to be rung, and how often, in `BEAT` of its tasks.py; they are gathered here by name.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Any

import kombu
from celery import Celery, signals
from celery.app.amqp import AMQP
from django.apps import apps
from django.conf import settings
from django.utils.module_loading import import_string, module_has_submodule
from kombu.transport import TRANSPORT_ALIASES

from membership.errors import DomainError
from membership.supervisor import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "membership.settings")

TRANSPORT_ALIASES["files"] = "membership.file_broker:Transport"
TRANSPORT_ALIASES["redis"] = TRANSPORT_ALIASES["rediss"] = "membership.redis_broker:Transport"
COME_BACK = 5  # seconds at most until a worker asks again whether its broker is back; by itself Celery waits up to 30


class Connection(kombu.Connection):
    """A connection whose owner is soon back at work when the broker is."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        return super().ensure_connection(*args, **{"interval_max": COME_BACK} | kwargs)


class Messaging(AMQP):
    """Celery's messaging over such connections."""

    Connection = Connection


app = Celery("vip", amqp=Messaging)
app.config_from_object(settings.CELERY)
app.autodiscover_tasks()


def schedule() -> dict[str, dict[str, Any]]:
    """Every app's beat entries. A ring that was not answered by the time of the next one is dropped."""
    entries: dict[str, dict[str, Any]] = {}
    for config in apps.get_app_configs():
        if config.name.partition(".")[0] in ("membership", "perks", "billing") and module_has_submodule(
            config.module, "tasks"
        ):
            entries |= import_string(f"{config.name}.tasks.BEAT")
    return {name: {**entry, "options": {"expires": entry["schedule"]}} for name, entry in entries.items()}


@signals.import_modules.connect
def plan(**_: object) -> None:
    """The models can be imported only once Django is set up, which Celery does just before this."""
    app.conf.beat_schedule = schedule()


@signals.worker_init.connect
def load_what_is_slow(**_: object) -> None:
    """Before the pool is forked, so that no task's time limit strikes in the middle of an import."""
    with contextlib.suppress(DomainError):  # no PDF on this machine: the mail that needs one says so
        import_string("membership.card_pdf.load")()


@signals.worker_process_init.connect
def end_with_the_worker(**_: object) -> None:
    """A worker killed with -9 would leave its pool behind, and its successor would double it."""
    die_with_parent(signal.SIGKILL)
