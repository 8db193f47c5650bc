"""Celery: a doorbell. Messages carry ids only and may be lost or doubled; the rows say what is due (work.py)."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "membership.settings")

app = Celery("vip")
app.config_from_object("django.conf:settings.CELERY")
app.autodiscover_tasks()
