"""manage.py tick: do once, in this process, all that beat would ring for. For cron, where no Celery runs."""

from __future__ import annotations

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from membership import celery

log = logging.getLogger("vip.tick")


class Command(BaseCommand):
    help = "Do all periodic work once. Safe to run at any time, and many times at once."

    def handle(self, **options: Any) -> None:
        failed = []
        for name, entry in celery.schedule().items():
            try:
                celery.app.tasks[entry["task"]]()
            except Exception:
                log.exception("%s failed; the next tick tries again", name)
                failed.append(name)
        if failed:
            raise CommandError(f"Failed, and left for the next tick: {', '.join(failed)}")
