"""Dunning: the letters about a renewal that is not paid, each once and in order. Called by sync inside its transaction.

Which letter is due is read off what stands at Stripe now, never off the order in which events came. The steps of an
invoice are written down as a prefix of STEPS: one that was not the case when a later one came is kept as skipped, and
no step ever goes back. A payment stops it all: what is planned goes, and a letter that waits to be sent is withdrawn.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from billing import trouble
from billing.models import LIVE, Invoice, Notice, Subscription
from membership import calendar, lifecycle, messages, standing, timeline
from membership.models import Membership, Term

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

DUNNING = Notice.Kind.DUNNING
FAILED, CONFIRM, HARD, GRACE_ENDING, ENDED = STEPS = (
    "payment_failed",  # the bank said no; it is tried again
    "action_required",  # the bank wants its customer to confirm
    "hard_decline",  # this card is not asked again, or there is none
    "grace_ending",  # a few days are left
    "ended",  # the membership ended unpaid
)
STEP_OF = {
    Invoice.Trouble.DECLINED: FAILED,
    Invoice.Trouble.ACTION: CONFIRM,
    Invoice.Trouble.HARD: HARD,
    Invoice.Trouble.NO_CARD: HARD,
}
LAST_WARNING = timedelta(days=5)  # before grace ends: more than a long weekend on which nothing ran
PAYMENT_FAILED = "payment_failed"  # Stripe's cancellation_details.reason at the end of its retries
OUR_END = "ended by us: unpaid at the end of grace"  # and ours, as the comment on a cancellation we ask for


def why_canceled(subscription: dict[str, Any]) -> str:
    """Stripe's word for why its `subscription` was canceled; that nobody paid, also when we ended it for that."""
    details = subscription.get("cancellation_details") or {}
    return PAYMENT_FAILED if details.get("comment") == OUR_END else details.get("reason") or ""


def follow(*, membership: Membership, subscription: Subscription, reason: str, at: datetime) -> None:
    """Write the letter that is due after a read of the subscription, plan the last warning, or stop it all.

    `reason`: see why_canceled.
    """
    membership = Membership.objects.with_facts().get(pk=membership.pk)
    _stop_what_is_settled(membership, at)
    term = max(membership.terms.all(), key=lambda t: t.starts_at, default=None)
    invoice = owed(membership, term) if term else None
    if term is None or invoice is None:
        return
    awaited = membership.status in lifecycle.LIVING and membership.renewal_expected
    if reason == PAYMENT_FAILED and subscription.status not in LIVE:
        if membership.end_reason in ("", Membership.EndReason.LAPSED):  # not for another cause before
            _advance(membership, term, invoice, ENDED, at)
    elif awaited and invoice.status == "open" and invoice.trouble:
        _advance(membership, term, invoice, STEP_OF[Invoice.Trouble(invoice.trouble)], at)
        _plan_last_warning(membership, term, invoice)


def owed(membership: Membership, term: Term) -> Invoice | None:
    """The unpaid invoice of the renewal that follows `term`, the last one. Paid late or never, it is still that one."""
    renewals = _renewals(membership, term, "open", "void", "uncollectible")
    return renewals.filter(status="open").first() or renewals.first()


def _renewals(membership: Membership, term: Term, *status: str) -> QuerySet[Invoice]:
    found = Invoice.objects.filter(membership=membership, status__in=status)
    return found.filter(lines__buys_time=True, lines__starts_at__gte=term.ends_at).order_by("made_at", "pk")


def unpaid_of(membership: Membership) -> Invoice | None:
    """The open invoice of its renewal, tried or not. For pages and letters."""
    term = max(membership.terms.all(), key=lambda t: t.starts_at, default=None)
    return _renewals(membership, term, "open").first() if term else None


def trouble_of(membership: Membership) -> Invoice | None:
    """The same where it was tried and not paid."""
    invoice = unpaid_of(membership)
    return invoice if invoice and invoice.trouble else None


def last_warning_at(*, entitled_until: datetime, grace_until: datetime) -> datetime:
    """When the last warning is due: five days before grace ends, at most halfway into it. Pure."""
    return grace_until - min(LAST_WARNING, (grace_until - entitled_until) / 2)


def _plan_last_warning(membership: Membership, term: Term, invoice: Invoice) -> None:
    until = standing.grace_until(membership)
    if until is None or membership.entitled_until is None:
        return
    due_at = last_warning_at(entitled_until=membership.entitled_until, grace_until=until)
    row, _ = Notice.objects.get_or_create(
        membership=membership,
        kind=DUNNING,
        term=term,
        step=GRACE_ENDING,
        defaults={"invoice": invoice, "due_at": due_at, "latest_at": until},
    )
    if row.done_at is None and row.latest_at != until:
        _move(row, due_at=due_at, latest_at=until)


def warn(notice: Notice, *, at: datetime) -> None:
    """Write the last warning, unless it is paid, over, or not yet time. The subscription was read again just now."""
    with transaction.atomic():
        membership = Membership.objects.lock(notice.membership_id)
        row = Notice.objects.filter(pk=notice.pk, done_at=None).select_related("invoice", "term").first()
        if row is None or row.invoice is None or row.due_at > at:
            return
        until = standing.grace_until(membership)
        if _waits_for_a_stop(row, membership, until, at):
            return
        if row.invoice.status != "open" or membership.status not in lifecycle.LIVING or until is None or at >= until:
            row.delete()  # nothing was said; the letter of the end, if it comes to that, speaks for itself
            return
        _advance(membership, row.term, row.invoice, GRACE_ENDING, at)


def _waits_for_a_stop(row: Notice, membership: Membership, until: datetime | None, at: datetime) -> bool:
    """Grace stands still under a stop, and ends later after one: so is its warning."""
    if standing.open_stop(membership, at):
        again, latest = at + timedelta(days=1), max(row.latest_at, at + timedelta(days=2))
    elif until and membership.entitled_until and until > row.latest_at:
        again, latest = last_warning_at(entitled_until=membership.entitled_until, grace_until=until), until
    else:
        return False
    _move(row, due_at=again, latest_at=latest)
    return again > at


def _move(row: Notice, *, due_at: datetime, latest_at: datetime) -> None:
    """Without its count of attempts the worker that has it in hand cannot say that it is done."""
    Notice.objects.filter(pk=row.pk).update(due_at=due_at, latest_at=latest_at, attempts=0, claimed_until=None)


def _advance(membership: Membership, term: Term, invoice: Invoice, step: str, at: datetime) -> None:
    """Go on to `step` and write its letter, once; what lies before it and was not the case is noted as skipped."""
    rows = {row.step: row for row in Notice.objects.filter(membership=membership, kind=DUNNING, term=term)}
    done = {name for name, row in rows.items() if row.done_at is not None}
    if any(name in done for name in STEPS[STEPS.index(step) :]):
        return
    for earlier in STEPS[: STEPS.index(step)]:
        if earlier not in done:
            _keep(membership, term, earlier, invoice=invoice, at=at, skipped_reason="not_the_case")
    if step == ENDED:
        _withdraw(Notice.objects.filter(membership=membership, kind=DUNNING, term=term), at)
    message = messages.write(
        key=f"dunning:{invoice.stripe_id}:{step}",
        kind=f"dunning_{step}",
        member=membership.member,
        at=at,
        context=_words(membership, invoice, at),
    )
    _keep(membership, term, step, invoice=invoice, at=at, message=message, issue=1, sent_at=at)
    timeline.write(
        member=membership.member,
        kind=f"dunning.{step}",
        at=at,
        actor="system",
        data={"invoice": invoice.pk, "amount": invoice.amount_due, "currency": invoice.currency},
        source_ref=f"{step}:{invoice.stripe_id}",
    )


def _keep(membership: Membership, term: Term, step: str, *, at: datetime, **fields: Any) -> None:
    moments = {"due_at": at, "latest_at": at, "done_at": at}
    Notice.objects.update_or_create(
        membership=membership, kind=DUNNING, term=term, step=step, defaults={**moments, **fields}
    )


def _words(membership: Membership, invoice: Invoice, at: datetime) -> dict[str, Any]:
    """What the letters speak of."""
    until = standing.grace_until(membership)
    return {
        "membership": membership,
        "tier": membership.plan.tier,
        "invoice": invoice,
        "amount": invoice.amount_due or invoice.total,
        "reason": trouble.reason(invoice),
        "again_at": invoice.next_try_at if invoice.next_try_at and invoice.next_try_at > at else None,
        "last_day": calendar.last_day(until, membership.time_zone) if until else None,
        "ended_at": membership.ended_at or membership.entitled_until,
    }


def _stop_what_is_settled(membership: Membership, at: datetime) -> None:
    """Paid, or dropped: nothing more is planned about it, and what still waits to be sent is not sent."""
    settled = Notice.objects.filter(membership=membership, kind=DUNNING).exclude(invoice__status="open")
    settled.filter(done_at=None).delete()
    _withdraw(settled, at)


def _withdraw(rows: Iterable[Notice], at: datetime) -> None:
    """The letter of the end stays true whatever comes; each other is overtaken."""
    letters = [row.message_id for row in rows if row.message_id and row.step != ENDED]
    if letters:
        messages.withdraw(letters, at=at)
