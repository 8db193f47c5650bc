"""Bounces: mails that reached nobody. Known from a mail server that refuses one for good while it is handed over, or
from its delivery report afterwards (RFC 3464), which `manage.py receive_mail` takes.

A report is believed only if it brings the letter's own headers back: our Message-ID, and the address it was sent to.
"""

from __future__ import annotations

import email
import email.policy
import re
import smtplib
from dataclasses import dataclass
from email.message import EmailMessage
from email.message import Message as Part
from email.utils import parseaddr
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from membership.models import Message
from membership.signals import mail_came_back

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

FOR_GOOD = 500  # SMTP: from here on a repetition brings the same answer
REFUSALS = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)
FAILED = "failed"
STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")  # RFC 3463


@dataclass(frozen=True)
class Report:
    """What became of one letter, as a mail server says: `action` failed, delayed, delivered, relayed or expanded."""

    message_id: str
    to: str
    action: str
    status: str


def message_id(pk: int) -> str:
    """The Message-ID that our mail of this row carries."""
    return f"<message-{pk}@{urlsplit(settings.BASE_URL).hostname}>"


def for_good(refusal: smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) -> str:
    """The codes of a refusal that stays one, "550 5.1.1"; empty where a later try may succeed. Never its words: they
    carry addresses."""
    words: bytes | str
    if isinstance(refusal, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(refusal.recipients.values()))
    else:
        code, words = refusal.smtp_code, refusal.smtp_error
    if code < FOR_GOOD:
        return ""
    text = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
    return " ".join([str(code), *STATUS.findall(text)[:1]])


def note(message: Message, said: str, *, at: datetime) -> bool:
    """It reached nobody, as is known since `at`. -> whether that is news."""
    with transaction.atomic():
        unknown = Message.objects.filter(pk=message.pk, bounced_at=None)
        if not unknown.update(bounced_at=at, bounce_said=said[:40]):
            return False
        mail_came_back.send(Message, message=message, at=at)
    return True


def take(report: Report, *, at: datetime) -> bool:
    """Keep what a report says. -> whether it is about a mail of ours; one that is only delayed changes nothing."""
    found = re.fullmatch(r"<message-(\d{1,18})@.+>", report.message_id)
    sent = Message.objects.filter(pk=int(found[1])).first() if found else None
    if sent is None or report.message_id != message_id(sent.pk) or report.to.casefold() != sent.to.casefold():
        return False
    if report.action == FAILED:
        note(sent, report.status, at=at)
    return True


def read(mail: EmailMessage) -> Report | None:
    """The report that a mail is, if it is one and brings the headers of the letter it speaks of."""
    if mail.get_content_type() != "multipart/report" or mail.get_param("report-type") != "delivery-status":
        return None
    parts = list(mail.iter_parts())
    told = next((fields for part in parts for fields in _recipients(part)), None)
    letter = next((headers for part in parts if (headers := _headers(part)) is not None), None)
    if told is None or letter is None:
        return None
    return Report(
        message_id=str(letter.get("Message-ID", "")).strip(),
        to=parseaddr(str(letter.get("To", "")))[1],
        action=str(told.get("Action", "")).strip().lower(),
        status="".join(STATUS.findall(str(told.get("Status", "")))[:1]),
    )


def _recipients(part: Part) -> Iterator[Part]:
    """The fields of each recipient: all groups but the first, which is about the whole."""
    groups = part.get_payload()
    if part.get_content_type() == "message/delivery-status" and isinstance(groups, list):
        yield from (group for group in groups if isinstance(group, Part) and "Action" in group)


def _headers(part: Part) -> Part | None:
    held = part.get_payload()
    if part.get_content_type() == "message/rfc822" and isinstance(held, list) and isinstance(held[0], Part):
        return held[0]
    if part.get_content_type() == "text/rfc822-headers":
        raw = part.get_payload(decode=True)
        return email.message_from_bytes(raw, policy=email.policy.default) if isinstance(raw, bytes) else None
    return None
