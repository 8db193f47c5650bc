"""Middleware of a twin: the web process rings without the doorbell's protection."""

from __future__ import annotations

from membership import doorbell


def _ring_or_raise(task: str, pk: int) -> None:
    doorbell.app.send_task(task, args=[pk], retry=False)


def middleware(get_response):
    doorbell._send = _ring_or_raise
    return get_response
