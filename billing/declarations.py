"""Declarations: cancellations and withdrawals that arrive without a log-in, from the page to their end.

Stored first, as they arrived: their time counts, whatever Stripe or a worker does. The receipt follows, then the
worker finds out whose it is and does what it says (declared.py). The page answers before anybody is looked for, so it
tells no stranger whether an account exists. § 312k BGB (cancellation); Directive 2011/83/EU, Art. 11a (withdrawal).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core import signing
from django.db import IntegrityError, transaction

from billing import declaration_letters, declared
from billing.models import Declaration
from membership import audit, doorbell, work
from membership.errors import DomainError

if TYPE_CHECKING:
    from datetime import date, datetime

    from django.db.models import QuerySet

    from membership.models import Member

TASK = "billing.carry_out_declaration"
KEPT = timedelta(days=3 * 365 + 1)  # three years after it was closed: decision 0009
FORGOTTEN_AT_ONCE = 500


class Closed(DomainError):
    code = "declaration_closed"
    message = "This declaration is closed already."


@dataclass(frozen=True, kw_only=True)
class Said:
    """A declaration as it was typed. `email` and `number` name the membership, `contact` takes the receipt.

    `wanted_on`: the day it shall end; None: as early as possible.
    """

    kind: str
    name: str
    email: str
    contact: str
    language: str
    number: str = ""
    for_cause: bool = False
    reason: str = ""
    wanted_on: date | None = None


def receive(*, said: Said, form: str, at: datetime) -> Declaration:
    """Store what was declared, at once and for good; then write its receipt and ring for a worker.

    `form` is the mark of the page it was typed into: the same words sent twice from one page are one declaration,
    other words are another one.
    """
    key = _key(said, form)
    try:
        with transaction.atomic():
            row = Declaration.objects.create(
                **asdict(said), key=key, token=secrets.token_hex(16), arrived_at=at, due_at=at
            )
    except IntegrityError:  # one_declaration_per_form_sent
        return Declaration.objects.get(key=key)
    declaration_letters.receipt(row, at=at)
    doorbell.ring(TASK, row.pk)
    return row


def _key(said: Said, form: str) -> str:
    words = json.dumps([form, asdict(said)], default=str, sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()


def carry_out(pk: int, *, at: datetime) -> bool:
    """Work off one declaration, if it is due and free."""
    return work.run_one(Declaration.objects.all(), pk, lambda row: _carry_out(row, at), at=at)


def sweep(*, at: datetime) -> int:
    """Work off every declaration that is due. -> how many were done."""
    return work.drain(Declaration.objects.all(), lambda row: _carry_out(row, at), at=at)


def too_old(*, at: datetime) -> QuerySet[Declaration]:
    """Those that were closed three years ago, the oldest first; never one that is still open."""
    return Declaration.objects.filter(done_at__lt=at - KEPT).order_by("done_at")


def forget(*, at: datetime) -> int:
    """Delete what is too old, a batch at a time. -> how many"""
    gone = 0
    while batch := list(too_old(at=at).values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        gone += Declaration.objects.filter(pk__in=batch).delete()[0]
    return gone


def _carry_out(row: Declaration, at: datetime) -> None:
    declaration_letters.receipt(row, at=at)  # the web process may have died before it wrote it
    declared.carry_out(row, at=at)


def prove(row: Declaration, *, at: datetime) -> None:
    """The holder of the account's mailbox says that it was them. Said twice, or too late: nothing happens."""
    waiting = Declaration.objects.filter(pk=row.pk, proven_at=None, done_at=None, parked_reason=declared.UNPROVEN)
    if waiting.update(proven_at=at, parked_reason="", due_at=at, attempts=0):
        doorbell.ring(TASK, row.pk)


def of_proof(token: str) -> Declaration | None:
    """The declaration that a link in the account's letter asks about; None if the link is none of ours."""
    try:
        pk = signing.Signer(salt=declaration_letters.SALT).unsign_object(token)
    except (signing.BadSignature, ValueError):
        return None
    return Declaration.objects.filter(pk=pk).first()


def for_staff() -> QuerySet[Declaration]:
    """Those that wait for a person, oldest first."""
    return Declaration.objects.filter(done_at=None).exclude(parked_reason="").order_by("arrived_at", "pk")


@transaction.atomic
def assign(row: Declaration, *, member: Member, actor: str, reason: str, at: datetime) -> None:
    """Staff know whose it is: it is carried out as if it had named them. Raises Closed."""
    open_one = for_staff().filter(pk=row.pk, member=None).order_by()
    if not open_one.update(member=member, parked_reason="", due_at=at, attempts=0):
        raise Closed
    audit.write(
        actor=actor, verb="declaration.assign", subject=f"declaration:{row.pk}", at=at,
        data={"member": member.pk, "reason": reason},
    )  # fmt: skip
    doorbell.ring(TASK, row.pk)


@transaction.atomic
def close(row: Declaration, *, actor: str, reason: str, at: datetime) -> None:
    """Staff have dealt with it, or there is nothing to do; `reason` says which. Raises Closed."""
    outcome = row.outcome or Declaration.Outcome.STAFF
    if not for_staff().filter(pk=row.pk).order_by().update(done_at=at, outcome=outcome, note=reason[:400]):
        raise Closed
    audit.write(actor=actor, verb="declaration.close", subject=f"declaration:{row.pk}", at=at, data={"reason": reason})
