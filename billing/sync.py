"""Sync: read one Stripe object again, mirror it, tell membership. One path for every caller.

The return page, each webhook and the sweeps all come through here, in any order and any number of times; the end is
the same. Reading happens outside any transaction; folding is one short transaction that locks the membership first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db import transaction

from billing import (
    customers,
    dunning,
    farewell,
    gateway,
    ledger,
    leftovers,
    mirror,
    misplaced,
    notices,
    receipts,
    tier_changes,
    trouble,
    welcome,
)
from billing.models import LIVE, CheckoutSession, Customer, Invoice, InvoiceLine, Operation, Subscription, term_ref
from membership import cards, clock, lifecycle, terms, work
from membership.models import Member, Membership, Status, Term

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

ACTOR = "stripe"
STALE = timedelta(minutes=2)  # a read takes seconds; of one that is older nothing is made: whoever asked asks again


@dataclass(frozen=True)
class Read:
    """A subscription as Stripe had it at `began` (wall time), with all its invoices and their charges, oldest first."""

    subscription: dict[str, Any]
    invoices: list[dict[str, Any]]
    began: datetime
    charges: Sequence[ledger.Charge] = ()

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
        placed = subscription(_id(session["subscription"])) if session.get("subscription") else True
        state = CheckoutSession.State.COMPLETE if placed else CheckoutSession.State.RETURNED
        CheckoutSession.objects.filter(pk=row.pk).update(state=state)
    elif session["status"] == "expired":
        expired(row, keep_reservation=keep_reservation)
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
def expired(row: CheckoutSession, *, keep_reservation: bool = False) -> None:
    """A page that can no longer be paid. The place goes back, unless another page of it is open or about to be."""
    membership = Membership.objects.lock(row.membership_id)
    pages = CheckoutSession.objects.filter(membership=membership, state=CheckoutSession.State.OPEN)
    if not pages.filter(pk=row.pk).update(state=CheckoutSession.State.EXPIRED) or keep_reservation:
        return
    if membership.status == Status.PENDING and not pages.exists():
        lifecycle.cancel(membership=membership, at=clock.now(), actor=ACTOR)


def invoice(invoice_id: str) -> None:
    """Read the subscription an invoice belongs to; an invoice of none is not ours to fold."""
    found = gateway.read(gateway.client().v1.invoices.retrieve, invoice_id)
    of_subscription = ((found.get("parent") or {}).get("subscription_details") or {}).get("subscription")
    if of_subscription:
        subscription(_id(of_subscription))


def subscription(subscription_id: str, *, actor: str = ACTOR) -> bool:
    """Mirror a subscription and its invoices, and let each paid line that buys time make its term.

    `actor` is who caused the change that is read here, if it was one of ours. -> False: there is no place for this
    subscription; it is canceled and its money given back. Raises StripeUnavailable, also where the read took so long
    that it may be untrue by now.
    """
    read = _read(subscription_id)
    membership = _whose(read.subscription)
    if clock.wall() - read.began > STALE:  # its worker slept: what is planned there may be another thing by now
        raise gateway.StripeUnavailable
    placed = _fold(membership, read, actor)
    given_back = not placed and misplaced.give_back(read.id)
    if leftovers.void(membership, read.id) or given_back:
        return subscription(subscription_id, actor=actor)
    return placed


def _read(subscription_id: str) -> Read:
    stripe = gateway.client().v1
    began = clock.wall()
    asked = {"subscription": subscription_id, "expand": ledger.EXPAND}
    invoices = [_whole(i) for i in gateway.read_all(stripe.invoices.list, asked)[::-1]]
    return Read(
        subscription=gateway.read(stripe.subscriptions.retrieve, subscription_id),
        invoices=invoices,
        began=began,
        charges=ledger.read(invoices),
    )


def give_back(subscription_id: str) -> None:
    """Finish what was noted for a subscription without a place, and read what came of it. Raises StripeUnavailable."""
    if misplaced.give_back(subscription_id):
        subscription(subscription_id)


def repeat_give_back(operation: Operation) -> None:
    """For the janitor: all that is noted for this subscription, once more."""
    give_back(operation.params["subscription"])


def _whole(invoice: dict[str, Any]) -> dict[str, Any]:
    """An invoice with all its lines (Stripe embeds the first ten), and with what keeps it from being paid."""
    invoice["trouble"] = trouble.of(invoice)
    if invoice["lines"]["has_more"]:
        lines = gateway.client().v1.invoices.line_items
        invoice["lines"]["data"] = gateway.read_all(lambda params: lines.list(invoice["id"], params), {})
    return invoice


def _whose(subscription: dict[str, Any]) -> Membership:
    """The membership a subscription pays for: its payer's, else the one it names, else that of whom its customer names.

    Parks the work if nobody here can be its payer: staff must look.
    """
    customer_id = _id(subscription["customer"])
    named = (subscription.get("metadata") or {}).get("membership", "")
    payer = Customer.objects.filter(stripe_id=customer_id).select_related("member").first()
    member = payer.member if payer else _adopted(customer_id, named)
    if member is None:
        raise work.Park(f"subscription {subscription['id']} belongs to a customer we do not know")
    theirs = Membership.objects.filter(member=member).order_by("-reserved_at", "-pk")
    found = theirs.filter(pk=named).first() if named.isdecimal() else theirs.first()
    if found is None:
        raise work.Park(f"subscription {subscription['id']} belongs to no membership of its payer")
    return found


def _adopted(customer_id: str, named: str) -> Member | None:
    """Whose customer this is, told by the metadata that we write: the answer that held its id may have been lost."""
    member = Member.objects.filter(memberships=int(named)).first() if named.isdecimal() else None
    if member is None:
        member = customers.named_by(gateway.read(gateway.client().v1.customers.retrieve, customer_id))
    if member is not None:
        customers.adopt(member, customer_id)
    return member


@transaction.atomic
def _fold(membership: Membership, read: Read, actor: str) -> bool:
    """Write what was read. False: this subscription has no place here and its money goes back."""
    membership = Membership.objects.lock(membership.pk)
    owed = _paid_without_a_term(read)
    if farewell.wanted_now(read.id) and (owed or read.subscription["status"] not in LIVE):
        farewell.cancel(membership=membership, at=clock.now(), actor=actor)
        membership = Membership.objects.lock(membership.pk)
    if _has_no_place(membership, read, owed):
        misplaced.note(membership, read.id, owed, at=clock.now())
        leftovers.note(membership, read.subscription, read.invoices)
        ledger.fold(membership, read.charges, read.began)
        mirror.end_of_known(read.subscription, read.began)
        mirror.known_invoices(read.invoices, read.began)
        return False
    row = mirror.subscription(membership, read.subscription, read.began)
    lines = mirror.invoices(membership, read.invoices, read.began)
    was_pending = membership.status == Status.PENDING
    _trial(membership, read.subscription, row)
    _terms(membership, lines)
    tier_changes.fold(membership, lines, row, actor)
    reason = dunning.why_canceled(read.subscription)
    farewell.follow(membership=membership, subscription=row, reason=reason, at=clock.now(), actor=actor)
    _letters(membership, lines, was_pending)
    ledger.fold(membership, read.charges, read.began)
    notices.look_again(membership=membership, at=clock.now())
    dunning.follow(membership=membership, subscription=row, reason=reason, at=clock.now())
    leftovers.note(membership, read.subscription, read.invoices)
    return True


def _paid_without_a_term(read: Read) -> list[dict[str, Any]]:
    """The invoices that took money and have bought nothing here yet."""
    paid = [i for i in read.invoices if i["status"] == "paid" and i["amount_paid"] > 0]
    refs = {i["id"]: [term_ref(line["id"]) for line in i["lines"]["data"]] for i in paid}
    known = set(Term.objects.filter(source_ref__in=chain(*refs.values())).values_list("source_ref", flat=True))
    folded = Invoice.objects.filter(stripe_id__in=refs, status="paid").exclude(lines__buys_time=True)
    no_terms = set(folded.values_list("stripe_id", flat=True))  # an upgrade's, say: it was paid for what it was
    return [i for i in paid if known.isdisjoint(refs[i["id"]]) and i["id"] not in no_terms]


def _has_no_place(membership: Membership, read: Read, owed: list[dict[str, Any]]) -> bool:
    """Turned away before; or money for a membership that has ended, or whose end is decided; or a second live one
    beside the first."""
    if misplaced.is_known(read.id) or (owed and (membership.cut_at is not None or farewell.wanted_now(read.id))):
        return True
    known = Subscription.objects.filter(stripe_id=read.id).exists()
    if membership.status == Status.ENDED:
        return bool(owed) or (not known and read.subscription["status"] in LIVE)
    beside = Subscription.objects.filter(membership=membership, status__in=LIVE).exclude(stripe_id=read.id)
    return not known and read.subscription["status"] in LIVE and beside.exists()


def _trial(membership: Membership, subscription: dict[str, Any], row: Subscription) -> None:
    begins = gateway.moment_or_none(subscription.get("trial_start"))
    ends = gateway.moment_or_none(subscription.get("trial_end"))
    if begins is None or ends is None or Term.objects.filter(membership=membership).exists():
        return
    lifecycle.add_term(
        membership=membership,
        source=Term.Source.TRIAL,
        source_ref=f"trial:{subscription['id']}",
        plan=row.price.plan if row.price else membership.plan,
        starts_at=begins,
        length=terms.Length.days((ends - begins) // timedelta(days=1)),
        at=clock.now(),
        actor=ACTOR,
    )


def _terms(membership: Membership, lines: list[InvoiceLine]) -> None:
    """One paid line that buys time is one term, oldest first."""
    paid = [line for line in lines if line.buys_time and line.invoice.status == "paid"]
    for line in sorted(_untold(paid), key=lambda line: line.starts_at):
        lifecycle.add_term(
            membership=membership,
            source=Term.Source.PAID,
            source_ref=line.term_ref,
            plan=line.plan or membership.plan,
            starts_at=line.starts_at,
            at=clock.now(),
            actor=ACTOR,
        )


def _untold(paid: list[InvoiceLine]) -> list[InvoiceLine]:
    """Those that are no term yet. Most became one in other years: one question says so of all."""
    told = Term.objects.filter(source_ref__in=[line.term_ref for line in paid]).values_list("source_ref", flat=True)
    known = set(told)
    return [line for line in paid if line.term_ref not in known]


def _letters(membership: Membership, lines: list[InvoiceLine], was_pending: bool) -> None:
    if was_pending:
        now = Membership.objects.with_facts().get(pk=membership.pk)
        if now.status == Status.ACTIVE:
            card = cards.issue(member=now.member, at=clock.now(), actor=ACTOR)
            welcome.send(membership=now, card=card, lines=lines, at=clock.now())
    receipts.send(membership, lines, at=clock.now())


def _id(reference: str | dict[str, Any]) -> str:
    """The id of an object that Stripe gave as an id or expanded."""
    return reference if isinstance(reference, str) else str(reference["id"])
