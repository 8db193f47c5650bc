"""Sync: read one Stripe object again, mirror it, tell membership. One path for every caller.

The return page, each webhook and the sweeps all come through here, in any order and any number of times; the end is
the same. Reading happens outside any transaction; folding is one short transaction that locks the membership first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from billing import doubled, gateway, mirror, receipts
from billing.models import LIVE, CheckoutSession, Customer, Invoice, InvoiceLine, Subscription
from membership import cards, clock, emails, lifecycle, terms, work
from membership.models import Membership, Status, Term

if TYPE_CHECKING:
    from datetime import datetime

ACTOR = "stripe"


@dataclass(frozen=True)
class Read:
    """A subscription as Stripe had it at `began` (wall time), with all its invoices, oldest first."""

    subscription: dict[str, Any]
    invoices: list[dict[str, Any]]
    began: datetime

    @property
    def id(self) -> str:
        return str(self.subscription["id"])


def checkout(session_id: str, *, keep_reservation: bool = False) -> CheckoutSession | None:
    """Learn how a visit to the pay page ended. -> our row of it, None if it is not ours.

    An expired one frees the reserved membership, unless the caller is about to open another.
    """
    session = gateway.read(gateway.client().v1.checkout.sessions.retrieve, session_id)
    row = _row_of(session)
    if row is None:
        return None
    if session["status"] == "complete":
        if session.get("subscription"):
            subscription(_id(session["subscription"]))
        CheckoutSession.objects.filter(pk=row.pk).update(state=CheckoutSession.State.COMPLETE)
    elif session["status"] == "expired":
        _expired(row, keep_reservation=keep_reservation)
    row.refresh_from_db()
    return row


def _row_of(session: dict[str, Any]) -> CheckoutSession | None:
    """Our row, by Stripe's id or, where the answer that told us the id was lost, by our own in the metadata."""
    row = CheckoutSession.objects.filter(stripe_id=session["id"]).first()
    ours = (session.get("metadata") or {}).get("checkout", "")
    if row is None and ours.isdecimal():
        CheckoutSession.objects.filter(pk=ours, stripe_id=None).update(
            stripe_id=session["id"], url=session.get("url") or "", expires_at=gateway.moment(session["expires_at"])
        )
        row = CheckoutSession.objects.filter(pk=ours, stripe_id=session["id"]).first()
    return row


@transaction.atomic
def _expired(row: CheckoutSession, *, keep_reservation: bool) -> None:
    still_open = CheckoutSession.objects.filter(pk=row.pk, state=CheckoutSession.State.OPEN)
    if not still_open.update(state=CheckoutSession.State.EXPIRED) or keep_reservation:
        return
    membership = Membership.objects.get(pk=row.membership_id)
    if membership.status == Status.PENDING:
        lifecycle.cancel(membership=membership, at=clock.now(), actor=ACTOR)


def invoice(invoice_id: str) -> None:
    """Read the subscription an invoice belongs to; an invoice of none is not ours to fold."""
    found = gateway.read(gateway.client("worker").v1.invoices.retrieve, invoice_id)
    of_subscription = ((found.get("parent") or {}).get("subscription_details") or {}).get("subscription")
    if of_subscription:
        subscription(_id(of_subscription))


def subscription(subscription_id: str) -> None:
    """Mirror a subscription and its invoices, and let each paid line that buys time make its term."""
    stripe = gateway.client().v1
    began = clock.wall()
    read = Read(
        subscription=gateway.read(stripe.subscriptions.retrieve, subscription_id),
        invoices=gateway.read_all(stripe.invoices.list, {"subscription": subscription_id})[::-1],
        began=began,
    )
    if not _fold(_whose(read.subscription), read):
        doubled.give_back(read.id)


def _whose(subscription: dict[str, Any]) -> Membership:
    """The membership a subscription pays for. Parks the work if nobody here can be its payer: staff must look."""
    payer = Customer.objects.filter(stripe_id=_id(subscription["customer"])).first()
    if payer is None:
        raise work.Park(f"subscription {subscription['id']} belongs to a customer we do not know")
    theirs = Membership.objects.filter(member=payer.member_id).order_by("-reserved_at", "-pk")
    named = (subscription.get("metadata") or {}).get("membership", "")
    found = theirs.filter(pk=named).first() if named.isdecimal() else theirs.first()
    if found is None:
        raise work.Park(f"subscription {subscription['id']} belongs to no membership of its payer")
    return found


@transaction.atomic
def _fold(membership: Membership, read: Read) -> bool:
    """Write what was read. False: this subscription has no place here and its money goes back."""
    membership = (
        Membership.objects.select_for_update(of=("self",)).select_related("plan", "member").get(pk=membership.pk)
    )
    if doubled.is_known(read.id):
        return False
    if _has_no_place(membership, read):
        doubled.note(membership, read.id, read.invoices, at=clock.now())
        return False
    row = mirror.subscription(membership, read.subscription, read.began)
    lines = [line for made in read.invoices for line in mirror.invoice(membership, made)]
    was_pending = membership.status == Status.PENDING
    _trial(membership, read.subscription)
    _terms(membership, lines)
    _leaving(membership, row)
    _letters(membership, lines, was_pending)
    return True


def _has_no_place(membership: Membership, read: Read) -> bool:
    """A second live subscription beside the first, or money for a membership that has ended."""
    if Subscription.objects.filter(stripe_id=read.id).exists():
        return False
    beside = Subscription.objects.filter(membership=membership, status__in=LIVE).exists()
    return membership.status == Status.ENDED or (beside and read.subscription["status"] in LIVE)


def _trial(membership: Membership, subscription: dict[str, Any]) -> None:
    begins = gateway.moment_or_none(subscription.get("trial_start"))
    ends = gateway.moment_or_none(subscription.get("trial_end"))
    if begins is None or ends is None or Term.objects.filter(membership=membership).exists():
        return
    lifecycle.add_term(
        membership=membership,
        source=Term.Source.TRIAL,
        source_ref=f"trial:{subscription['id']}",
        plan=membership.plan,
        starts_at=begins,
        length=terms.Length.days((ends - begins) // timedelta(days=1)),
        at=clock.now(),
        actor=ACTOR,
    )


def _terms(membership: Membership, lines: list[InvoiceLine]) -> None:
    """One paid line that buys time is one term, oldest first."""
    paid = [line for line in lines if line.buys_time and line.invoice.status == "paid"]
    for line in sorted(paid, key=lambda line: line.starts_at):
        lifecycle.add_term(
            membership=membership,
            source=Term.Source.PAID,
            source_ref=line.term_ref,
            plan=line.plan or membership.plan,
            starts_at=line.starts_at,
            at=clock.now(),
            actor=ACTOR,
        )


def _leaving(membership: Membership, subscription: Subscription) -> None:
    """A cancellation scheduled or taken back at Stripe, here or in its dashboard, is ours too. The mirror decides: it
    keeps the newest read, so a slow older one undoes nothing."""
    membership.refresh_from_db()
    subscription.refresh_from_db()
    if membership.status not in lifecycle.LIVING or subscription.status not in LIVE:
        return
    if subscription.ends_by_itself and membership.canceled_at is None:
        lifecycle.cancel(membership=membership, at=clock.now(), actor=ACTOR)
    elif not subscription.ends_by_itself and membership.canceled_at is not None:
        lifecycle.undo_cancel(membership=membership, at=clock.now(), actor=ACTOR)


def _letters(membership: Membership, lines: list[InvoiceLine], was_pending: bool) -> None:
    now_active = Membership.objects.with_facts().get(pk=membership.pk)
    if was_pending and now_active.status == Status.ACTIVE:
        card = cards.issue(member=now_active.member, at=clock.now(), actor=ACTOR)
        emails.welcome(membership=now_active, card=card, at=clock.now())
    paid: dict[int, Invoice] = {line.invoice_id: line.invoice for line in lines if line.invoice.status == "paid"}
    for made in paid.values():
        receipts.send(made, at=clock.now())


def _id(reference: str | dict[str, Any]) -> str:
    """The id of an object that Stripe gave as an id or expanded."""
    return reference if isinstance(reference, str) else str(reference["id"])
