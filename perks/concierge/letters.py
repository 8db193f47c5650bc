"""Mails of the concierge to its members. Each carries an address of its own to reply to (replies.py)."""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse

from membership import messages
from perks.models import ConciergeEntry, ConciergeRequest

if TYPE_CHECKING:
    from datetime import datetime


def reply_address(request: ConciergeRequest) -> str:
    """service+<token>@shop.example: the house's own address, with the request behind the plus."""
    local, _, domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")
    return f"{local}+{request.reply_token}@{domain}"


def received(request: ConciergeRequest, *, at: datetime) -> None:
    _write("concierge_received", request, f"{request.pk}", at, due_at=request.due_at)


def answered(request: ConciergeRequest, entry: ConciergeEntry, *, at: datetime) -> None:
    name = entry.staff.name if entry.staff else ""
    _write("concierge_answer", request, f"{entry.pk}", at, text=entry.text, clerk=name)


def closed(request: ConciergeRequest, *, counts: bool, at: datetime) -> None:
    _write("concierge_closed", request, f"{request.pk}:{at.isoformat()}", at, counts=counts)


def _write(kind: str, request: ConciergeRequest, key: str, at: datetime, **said: object) -> None:
    url = f"{settings.BASE_URL}{reverse('concierge-request', args=[request.ident])}"
    messages.write(
        key=f"{kind}:{key}",
        kind=kind,
        member=request.member,
        at=at,
        context={"request": request, "url": url, **said},
        reply_to=reply_address(request),
    )
