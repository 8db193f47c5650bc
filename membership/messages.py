"""Messages: every mail is a row, written in the transaction that causes it and sent by the worker."""

from __future__ import annotations

import email.policy
import logging
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string, select_template
from django.utils import timezone, translation

from membership import audit, bounces, card_pdf, clock, declining, doorbell, timeline, work
from membership.errors import DomainError
from membership.models import Message

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from email.message import EmailMessage

    from membership.models import Card, Member

log = logging.getLogger("vip.messages")

SUBJECT = "Subject:"
MAIL_AS_WRITTEN = ("kind", "language", "subject", "text", "html", "attached_card", "reply_to")
# Mails that carry a one-time code: in production none is kept once it is sent.
ONE_TIME = frozenset({"account_verify", "account_login_code", "account_reset_code", "shop_code"})


def write(
    *,
    key: str,
    kind: str,
    at: datetime,
    context: dict[str, Any],
    member: Member | None = None,
    to: str = "",
    language: str = "",
    attached_card: Card | None = None,
    reply_to: str = "",
) -> Message:
    """Write the mail `kind` once per `key`, in the member's language, and leave it to be sent.

    templates/emails/<kind>.txt begins with its subject line; <kind>.html is optional. `reply_to`: the address at which
    an answer is taken (mail_in.py).
    """
    written = Message.objects.filter(key=key).first()
    if written is not None:  # asked first: to render it costs a hundred times as much
        return written
    language = language or (member.user.language if member else settings.LANGUAGE_CODE)
    subject, text, html = _render(kind, language, member, context)
    message, new = Message.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "member": member,
            "to": to or (member.user.email if member else ""),
            "language": language,
            "subject": subject,
            "text": text,
            "html": html,
            "attached_card": attached_card,
            "reply_to": reply_to,
            "written_at": at,
            "due_at": at,
        },
    )
    if new:
        doorbell.ring("membership.send_message", message.pk)
    return message


def send_again(*, message: Message, once: str, at: datetime, actor: str) -> Message:
    """The same words once more, to the address the member has now, once per `once`. Never a code: `message` is of no
    kind in ONE_TIME."""
    assert message.member is not None
    assert message.kind not in ONE_TIME
    member = message.member
    copy = {name: getattr(message, name) for name in MAIL_AS_WRITTEN}
    with transaction.atomic():
        again, new = Message.objects.get_or_create(
            key=f"again:{message.pk}:{once}",
            defaults=copy | {"member": member, "to": member.user.email, "written_at": at, "due_at": at},
        )
        if new:
            said = {"message": message.pk, "again": again.pk}
            timeline.write(member=member, kind="mail_resent", at=at, actor=actor, data=said)
            audit.write(actor=actor, verb="resend_mail", subject=f"member:{member.pk}", at=at, data=said)
            doorbell.ring("membership.send_message", again.pk)
    return again


WITHDRAWN = "withdrawn: overtaken before it was sent"


def withdraw(pks: Iterable[int], *, at: datetime) -> int:
    """Do not send these after all, where they still wait: what they say is no longer so. -> how many were stopped.

    One that a worker has in hand this moment goes out: it was true when it was written.
    """
    free = Q(claimed_until=None) | Q(claimed_until__lt=clock.wall())
    waiting = Message.objects.filter(free, pk__in=pks, done_at=None)
    return waiting.update(done_at=at, parked_reason=WITHDRAWN)


def _render(kind: str, language: str, member: Member | None, context: dict[str, Any]) -> tuple[str, str, str]:
    if member and (choice := declining.choice_of(kind)):
        context = context | {"decline_url": declining.link(declining.Asked(member, choice))}
    context = context | {"programme_name": settings.PROGRAMME_NAME, "base_url": settings.BASE_URL, "member": member}
    zone = member.user.time_zone if member else settings.VIP_HOME_ZONE
    with translation.override(language), timezone.override(ZoneInfo(zone)):
        first, _, body = render_to_string(f"emails/{kind}.txt", context).lstrip().partition("\n")
        if not first.startswith(SUBJECT):
            raise ValueError(f"emails/{kind}.txt must begin with '{SUBJECT}'")
        subject = " ".join(first.removeprefix(SUBJECT).split())[:200]
        letter = context | {"subject": subject, "paragraphs": body.strip().split("\n\n"), "language": language}
        html = select_template([f"emails/{kind}.html", "emails/letter.html"]).render(letter)
    return subject, body.strip() + "\n", html


class _InOneLine(UnstructuredHeader, BaseHeader):
    """Python wraps an address longer than 78 signs by encoding it, and no mail program takes that for an address."""

    def fold(self, *, policy: Any) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_headers = HeaderRegistry()
_headers.map_to_type("list-unsubscribe", _InOneLine)


class _Mail(EmailMultiAlternatives):
    def message(self, *, policy: Any = email.policy.default) -> EmailMessage:
        return super().message(policy=policy.clone(header_factory=_headers))


def send(message: Message) -> None:
    """Hand one mail to the mail server. A repeat after a crash carries the same Message-ID. Raises work.Park where the
    server refuses it for good."""
    if message.kind in ONE_TIME and not message.text:
        return  # sent, and its code forgotten, by a worker that died before it could say so
    mail = _Mail(
        subject=message.subject,
        body=message.text,
        to=[message.to],
        reply_to=[message.reply_to] if message.reply_to else None,
        headers={
            "Message-ID": bounces.message_id(message.pk),
            "Auto-Submitted": "auto-generated",
            **declining.headers(message.kind, message.member),
        },
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    if message.attached_card:
        _attach(mail, message.attached_card)
    try:
        mail.send()
    except bounces.REFUSALS as refusal:
        if not (said := bounces.for_good(refusal)):
            raise
        bounces.note(message, said, at=clock.now())
        _forget_code(message)
        raise work.Park(f"the mail server refused it: {said}") from refusal
    _forget_code(message)


def _forget_code(message: Message) -> None:
    if settings.PRODUCTION and message.kind in ONE_TIME:
        Message.objects.filter(pk=message.pk).update(subject="", text="", html="")


def _attach(mail: EmailMultiAlternatives, card: Card) -> None:
    """Attach the card as it is now. Where there is none to show any more, or no PDF here, the letter goes alone."""
    try:
        pdf = card_pdf.render(card, at=clock.now())
    except DomainError as reason:
        log.warning("a mail goes without its card: %s", reason)
        return
    mail.attach(f"card-{card.member.number}.pdf", pdf, "application/pdf")
