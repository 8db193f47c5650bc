"""A second person: goodwill above the limit is asked by one of the staff and given by another, or by nobody.

Asking stores the quote as it was read. Approving gives exactly that: if it is no longer true it is refused, and must be
asked anew (decision 0005). Called by the console; `manage.py refund` asks `second_person` here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from billing import refund_quotes, refunds
from billing.models import AskedRefund
from billing.refund_policy import Basis, Quote
from membership import audit, staff, timeline
from membership.errors import DomainError
from membership.models import Membership, Staff
from membership.roles import Permission

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

LASTS = timedelta(days=7)  # what nobody answered by then is asked anew
Answer = AskedRefund.Answer


class NotASecondPerson(DomainError):
    """Who asked it, whose own money it is, or who has no right to approve."""

    code = "not_a_second_person"
    status = 403
    message = gettext_noop("A second person has to do this: a colleague who may approve, who did not ask for it, and whose own membership it is not.")  # fmt: skip  # noqa: E501


class Answered(DomainError):
    code = "asked_refund_answered"
    message = gettext_noop("This does not wait any more: it was answered, asked anew, or its time is over.")


class WaitsAlready(DomainError):
    code = "asked_refund_waits"
    message = gettext_noop("A refund for this member already waits for a second person.")


def waiting(at: datetime) -> QuerySet[AskedRefund]:
    """By the index `asked_refunds_that_wait`, oldest first."""
    rows = AskedRefund.objects.filter(answer="", expires_at__gt=at).order_by("asked_at", "pk")
    return rows.select_related("membership__member__user", "asked_by__staff")


@transaction.atomic
def ask(
    *, membership: Membership, quote: Quote, effect: str, reason: str, by: Staff, once: str, at: datetime
) -> AskedRefund:
    """Let it wait for a second person. The same form sent twice asks once. Raises WaitsAlready, QuoteChanged."""
    membership = Membership.objects.lock(membership.pk)
    if asked := AskedRefund.objects.filter(once=once).first():
        return asked
    if quote.mark != _now(membership, quote.amount, at).mark:
        raise refunds.QuoteChanged
    open_ones = AskedRefund.objects.filter(membership=membership, answer="")
    open_ones.filter(expires_at__lte=at).update(answer=Answer.OVERTAKEN, answered_at=at)
    if open_ones.exists():
        raise WaitsAlready
    asked = AskedRefund.objects.create(
        membership=membership, amount=quote.amount, currency=quote.currency, mark=quote.mark, effect=effect,
        reason=reason, once=once, asked_by=by.user, asked_at=at, expires_at=at + LASTS,
    )  # fmt: skip
    _tell(asked, "asked", by=by, reason=reason, at=at)
    return asked


def approve(pk: int, *, by: Staff, reason: str, at: datetime) -> str:
    """Give what was asked, once. -> the decision. Raises Answered, NotASecondPerson, QuoteChanged, StripeUnavailable
    (then it is decided, and goes on by itself)."""
    with transaction.atomic():
        asked = _locked(pk, at)
        check(asked, by=by)
        quote = _now(asked.membership, asked.amount, at)
        if quote.mark != asked.mark:
            raise refunds.QuoteChanged(quote=quote)
        with audit.because(asked.reason):
            decision, _new = refunds.decide(
                membership=asked.membership,
                quote=quote,
                effect=asked.effect,
                reason=asked.reason,
                actor=actor_of(asked),
                approved_by=by.actor,
                once=f"asked-{asked.pk}",
                at=at,
            )
        _answer(asked, Answer.APPROVED, by=by, note=reason, decision=decision, at=at)
        _tell(asked, "approved", by=by, reason=reason, at=at)
    with audit.because(asked.reason):
        refunds.carry_out(decision, again=False)
    return decision


@transaction.atomic
def decline(pk: int, *, by: Staff, reason: str, at: datetime) -> None:
    """Nothing is given back. Raises Answered, NotASecondPerson."""
    asked = _locked(pk, at)
    check(asked, by=by)
    _answer(asked, Answer.DECLINED, by=by, note=reason, decision="", at=at)
    _tell(asked, "declined", by=by, reason=reason, at=at)


@transaction.atomic
def withdraw(pk: int, *, by: Staff, reason: str, at: datetime) -> None:
    """Who asked asks no more: it waits for nobody. Raises Answered, also where somebody else asked it."""
    asked = _locked(pk, at)
    if asked.asked_by_id != by.user_id:
        raise Answered
    _answer(asked, Answer.WITHDRAWN, by=by, note=reason, decision="", at=at)
    _tell(asked, "withdrawn", by=by, reason=reason, at=at)


def second_person(actor: str) -> Staff:
    """The colleague behind "staff:4", if they may approve. Raises NotASecondPerson."""
    kind, _sign, user = actor.partition(":")
    held = Staff.objects.filter(user_id=int(user), revoked_at=None).first() if user.isdigit() else None
    if kind != "staff" or held is None or not held.may(Permission.APPROVE):
        raise NotASecondPerson
    return held


def quote_now(asked: AskedRefund, *, at: datetime) -> Quote:
    """What it would give back at this moment. Raises TooMuch, NothingToRefund."""
    return _now(Membership.objects.with_facts().get(pk=asked.membership_id), asked.amount, at)


def actor_of(asked: AskedRefund) -> str:
    return f"staff:{asked.asked_by_id}"


def _now(membership: Membership, amount: int, at: datetime) -> Quote:
    return refund_quotes.quote(membership=membership, basis=Basis.GOODWILL, amount=amount, at=at)


def _locked(pk: int, at: datetime) -> AskedRefund:
    """It and its membership, locked: of two who answer at once the second finds it answered."""
    found = AskedRefund.objects.filter(pk=pk).values_list("membership_id", flat=True).first()
    if found is None:
        raise Answered
    membership = Membership.objects.lock(found)
    asked = AskedRefund.objects.filter(Q(pk=pk, answer="", expires_at__gt=at)).first()
    if asked is None:
        raise Answered
    asked.membership = membership
    return asked


def check(asked: AskedRefund, *, by: Staff) -> None:
    """Raises NotASecondPerson."""
    held = staff.of(by.user)
    own = {asked.asked_by_id, asked.membership.member.user_id}
    if held is None or held.user_id in own or not held.may(Permission.APPROVE):
        raise NotASecondPerson


def _answer(asked: AskedRefund, answer: str, *, by: Staff, note: str, decision: str, at: datetime) -> None:
    answered = {"answer": answer, "answered_by": by.user, "answered_at": at, "note": note, "decision": decision}
    if not AskedRefund.objects.filter(pk=asked.pk, answer="").update(**answered):
        raise Answered


def _tell(asked: AskedRefund, what: str, *, by: Staff, reason: str, at: datetime) -> None:
    """Both the story and the audit name who did it; what was approved names who had asked."""
    data = {"asked": asked.pk, "amount": asked.amount, "currency": asked.currency, "asked_by": actor_of(asked)}
    subject = f"membership:{asked.membership_id}"
    audit.write(actor=by.actor, verb=f"refund.{what}", subject=subject, at=at, data=data | {"reason": reason})
    ref = f"refund:asked-{asked.pk}:{what}"
    member, kind = asked.membership.member, f"refund.{what}"
    timeline.write(member=member, kind=kind, at=at, actor=by.actor, data=data, source_ref=ref)
