"""What of billing waits for a person and needs no page of its own: what the comparison with Stripe found, events that
have no place here, calls that nobody answered, notices that were not sent in their time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import announcing, inbox, janitor, outlook, untold
from billing.models import Customer, Notice, Operation, ReconcileFinding, StripeEvent
from billing.operations import OPEN
from membership import clock
from membership.console import mails_waiting, queues, waiting
from membership.console.mails_waiting import TOO_LONG, outcome, why_stuck
from membership.console.queues import Queue, Row
from membership.templatetags import vip

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from membership.models import Member, Message, Staff, Work

LATELY = timedelta(days=30)


def _what_the_charge_does(row: Message) -> str:
    """What seeing to a letter about a renewal sets free."""
    if row.member is None or not untold.is_about_a_renewal(row):
        return ""
    for membership in untold.memberships(row.member):
        charge_at = outlook.charge_at(membership)
        if charge_at is not None and row in untold.letters(membership):
            said = {"day": vip.day(charge_at)}
            if charge_at > clock.now():
                return gettext("The renewal of %(day)s is held: nothing is charged before this is seen to.") % said
            return gettext("The renewal of %(day)s is held: it is charged as soon as this is seen to.") % said
    return ""


mails_waiting.consequences.append(_what_the_charge_does)

queues.register(
    Queue(
        code="drift",
        label=_("Differences to Stripe"),
        about=_("What the nightly comparison found in the last 30 days, and whether reading it again has mended it."),
        empty=_("What we have is what Stripe has."),
        order=35,
    )
)


def differed(at: datetime) -> QuerySet[ReconcileFinding]:
    """By the index `findings_that_wait`."""
    rows = ReconcileFinding.objects.filter(waits=True, found_at__gte=at - LATELY)
    return rows.select_related("member").order_by("found_at", "pk")


def events(at: datetime) -> QuerySet[StripeEvent]:
    """By the index `events_that_are_stuck`."""
    rows = StripeEvent.objects.filter(done_at=None, seen_at=None, received_at__lte=at - TOO_LONG)
    return rows.order_by("received_at", "pk")


def notices(at: datetime) -> QuerySet[Notice]:
    """By the index `notices_that_are_stuck`."""
    rows = Notice.objects.filter(done_at=None, seen_at=None, due_at__lte=at - TOO_LONG)
    return rows.select_related("membership__member").order_by("due_at", "pk")


def operations(at: datetime) -> QuerySet[Operation]:
    """By the index `operations_that_are_stuck`: those that the janitor gave up on after a day."""
    rows = Operation.objects.filter(state="parked", seen_at=None)
    return rows.select_related("member").order_by("asked_at", "pk")


def what_was_found(row: ReconcileFinding) -> str:
    repaired = row.outcome == ReconcileFinding.Outcome.REPAIRED
    words = gettext("%(object)s was read again.") if repaired else gettext("%(object)s could not be mended.")
    return words % {"object": row.object_id}


def _event(row: StripeEvent) -> str:
    return gettext("Stripe told us: %(type)s") % {"type": row.type}


def _operation(row: Operation) -> str:
    return gettext("Asked of Stripe, and never answered: %(kind)s") % {"kind": row.kind}


def _notice(row: Notice) -> str:
    return gettext("Notice %(step)s") % {"step": row.step}


def _of_event(row: StripeEvent) -> Member | None:
    customer = row.payload["data"]["object"].get("customer") or row.object_id
    found = Customer.objects.filter(stripe_id=customer).select_related("member").first()
    return found.member if found else None


@queues.source("drift", differed)
def findings_that_wait(rows: Sequence[ReconcileFinding], at: datetime) -> list[Row]:
    return [
        waiting.row(
            "finding",
            row.pk,
            what=what_was_found(row),
            note=row.said,
            since=row.found_at,
            member=row.member,
            who=row.object_id,
        )
        for row in rows
    ]


@queues.source("stuck", events)
def events_that_wait(rows: Sequence[StripeEvent], at: datetime) -> list[Row]:
    """Whose they are is asked of all at once."""
    payers = [row.payload["data"]["object"].get("customer") or row.object_id for row in rows]
    known = {
        one.stripe_id: one.member for one in Customer.objects.filter(stripe_id__in=payers).select_related("member")
    }
    return [
        waiting.row(
            "event",
            row.pk,
            what=_event(row),
            note=why_stuck(row),
            since=row.received_at,
            member=known.get(payer),
            who=row.object_id,
        )
        for row, payer in zip(rows, payers, strict=True)
    ]


@queues.source("stuck", operations)
def operations_that_wait(rows: Sequence[Operation], at: datetime) -> list[Row]:
    return [
        waiting.row("operation", row.pk, what=_operation(row), note=row.error, since=row.asked_at, member=row.member)
        for row in rows
    ]


@queues.source("stuck", notices)
def notices_that_wait(rows: Sequence[Notice], at: datetime) -> list[Row]:
    return [
        waiting.row(
            "notice", row.pk, what=_notice(row), note=why_stuck(row), since=row.due_at, member=row.membership.member
        )
        for row in rows
    ]


def _again_event(row: StripeEvent, staff: Staff, once: str, at: datetime) -> str:
    return outcome(inbox.try_again(row.pk, at=at))


def _again_notice(row: Notice, staff: Staff, once: str, at: datetime) -> str:
    return outcome(announcing.try_again(row.pk, at=at))


def _again_operation(row: Operation, staff: Staff, once: str, at: datetime) -> str:
    janitor.look(row, at=at)
    row.refresh_from_db()
    return outcome((row.state not in OPEN, row.error))


def _since(words: Any, row: Work | Operation, since: datetime) -> list[str]:
    facts = {"when": vip.moment(since), "why": row.error if isinstance(row, Operation) else why_stuck(row)}
    return [words(row), gettext("It waits since %(when)s: %(why)s") % facts]


ASK_STRIPE = _("Stripe is asked once more, now.")

waiting.register(
    waiting.Kind(
        code="finding",
        queue="drift",
        verb="reconcile.seen_to",
        rows=lambda at: ReconcileFinding.objects.select_related("member"),
        told=lambda row: [what_was_found(row), row.said],
        member=lambda row: row.member,
        also={"waits": False},
    )
)
waiting.register(
    waiting.Kind(
        code="event",
        queue="stuck",
        verb="stuck.seen_to",
        rows=lambda at: StripeEvent.objects.filter(done_at=None),
        told=lambda row: [*_since(_event, row, row.received_at), row.object_id],
        member=_of_event,
        again=lambda row: str(ASK_STRIPE),
        retry=_again_event,
    )
)
waiting.register(
    waiting.Kind(
        code="operation",
        queue="stuck",
        verb="stuck.seen_to",
        rows=lambda at: Operation.objects.filter(state=Operation.State.PARKED).select_related("member"),
        told=lambda row: _since(_operation, row, row.asked_at),
        member=lambda row: row.member,
        again=lambda row: str(ASK_STRIPE),
        retry=_again_operation,
    )
)
waiting.register(
    waiting.Kind(
        code="notice",
        queue="stuck",
        verb="stuck.seen_to",
        rows=lambda at: Notice.objects.filter(done_at=None).select_related("membership__member"),
        told=lambda row: _since(_notice, row, row.due_at),
        member=lambda row: row.membership.member,
        again=lambda row: gettext("It is worked out and sent now, if it is still owed."),
        retry=_again_notice,
    )
)
