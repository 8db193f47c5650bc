"""Mail that comes in: answers to our letters, each taken once, however often its carrier hands it over.

An app says at start what it does with mail to an address of its own (`takes`); the token behind the plus of the
address names what is meant. Who brings the mail is a door: the demo's mailbox, or `manage.py receive_mail`, which a
mail server runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction

from membership import bounces
from membership.errors import DomainError
from membership.models import IncomingMail

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    Taker = Callable[[str, "Letter", datetime], bool]

LONGEST = 20_000
Outcome = IncomingMail.Outcome

# Where mail programs put what they quote; from there on it is not the writer's.
QUOTES = re.compile(
    r"^(?:>.*|On .{5,120} wrote:|Am .{5,120} schrieb .{1,120}:|-{2,} ?Original Message ?-{2,}"
    r"|-{2,} ?Urspr\u00fcngliche Nachricht ?-{2,}|_{20,}|-- ?)$",
    re.MULTILINE,
)


class WrongSender(DomainError):
    """It came from somebody else than whom the letter was written to."""

    code = "wrong_sender"


class NotPossible(DomainError):
    """It came too late, or said nothing."""

    code = "not_possible"


@dataclass(frozen=True)
class Letter:
    """One mail as it came. `automatic`: an absence notice or the like, which nobody wrote. `report`: what a mail server
    says became of a letter of ours."""

    message_id: str
    sender: str
    to: str
    text: str
    automatic: bool = False
    report: bounces.Report | None = None


_takers: list[Taker] = []


def takes(taker: Taker) -> Taker:
    """Register a function (token, letter, at) -> whether the token is its own; it may raise a DomainError."""
    _takers.append(taker)
    return taker


def receive(letter: Letter, *, at: datetime) -> Outcome:
    """Take a mail, once per message id: brought again, what came of it the first time is the answer.

    Its row and what it changes are one transaction, so a crash between them leaves it to be brought again.
    """
    if (told := _before(letter)) is not None:
        return told
    try:
        with transaction.atomic():
            kept = IncomingMail.objects.create(message_id=_id(letter), received_at=at, outcome=Outcome.TAKEN)
            outcome = _take(letter, at)
            IncomingMail.objects.filter(pk=kept.pk).update(outcome=outcome)
    except IntegrityError:
        if (told := _before(letter)) is None:
            raise
        return told  # another process took it this moment
    return outcome


def _id(letter: Letter) -> str:
    return letter.message_id.strip().strip("<>")[:250]


def _before(letter: Letter) -> Outcome | None:
    found = IncomingMail.objects.filter(message_id=_id(letter)).values_list("outcome", flat=True).first()
    return Outcome(found) if found else None


def _take(letter: Letter, at: datetime) -> Outcome:
    if letter.report is not None:
        return Outcome.TAKEN if bounces.take(letter.report, at=at) else Outcome.NOT_OURS
    token = token_of(letter.to)
    if not token:
        return Outcome.NOT_OURS
    if letter.automatic:
        return Outcome.AUTOMATIC
    try:
        with transaction.atomic():
            return Outcome.TAKEN if any(taker(token, letter, at) for taker in _takers) else Outcome.NOT_OURS
    except WrongSender:
        return Outcome.WRONG_SENDER
    except DomainError:
        return Outcome.REFUSED


def token_of(to: str) -> str:
    """What stands behind the plus of an address of ours; empty for any other."""
    local, _, domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower().partition("@")
    name, _, token = parseaddr(to)[1].lower().partition("@")[0].partition("+")
    here = parseaddr(to)[1].lower().endswith(f"@{domain}")
    return token if here and name == local else ""


def written(text: str) -> str:
    """What the writer wrote, without the letter they quote and without their signature."""
    found = QUOTES.search(text)
    return text[: found.start() if found else None].strip()[:LONGEST]
