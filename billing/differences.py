"""What Stripe's lists say beside what we keep: one function a list, each over a page of it. Reads only; mends nothing.

-> for each object that differs, what differs. What is not ours (another business of the same account) never differs.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from django.db.models import Sum

from billing import gateway, hints, mirror, misplaced, refund_outcomes
from billing.models import (
    LIVE,
    Customer,
    Dispute,
    Invoice,
    Payment,
    Refund,
    Subscription,
    term_ref,
)
from membership.models import Member, Term

Row = dict[str, Any]
Differences = dict[str, str]
MOVED = (Refund.State.PENDING, Refund.State.SUCCEEDED)  # what a charge's amount_refunded counts
MOVING = {"hosted_url"}  # Stripe gives a new address of the same page now and then


def subscriptions(rows: list[Row]) -> Differences:
    """Subscriptions against their mirrors; one of ours that we do not know; one turned away that lives on."""
    ours = Subscription.objects.select_related("price").in_bulk([row["id"] for row in rows], field_name="stripe_id")
    strange = [row["id"] for row in rows if row["id"] not in ours]
    turned_away = misplaced.known(strange)
    prices = mirror.prices(ident for row in rows for ident in _prices_of(row))
    payers = _known_customers(rows) if strange else set()
    found = {}
    for row in rows:
        known = ours.get(row["id"])
        if known is not None:
            said = _changed(known, mirror.subscription_state(row, prices))
        elif row["id"] in turned_away:
            said = "turned away, and alive" if row["status"] in LIVE else ""
        else:
            named = (row.get("metadata") or {}).get("membership")
            is_ours = named or row["customer"] in payers or not prices.keys().isdisjoint(_prices_of(row))
            said = f"not known here ({row['status']})" if is_ours else ""
        if said:
            found[row["id"]] = said
    return found


def _prices_of(subscription: Row) -> list[str]:
    return [item["price"]["id"] for item in subscription["items"]["data"]]


def _changed(known: Any, state: dict[str, Any]) -> str:
    """ "status active, at Stripe canceled; ..." """
    told = [
        f"{name} {getattr(known, name)}, at Stripe {there}"
        for name, there in state.items()
        if name not in MOVING and getattr(known, name) != there
    ]
    return "; ".join(told)


def invoices(rows: list[Row]) -> Differences:
    """Invoices against their mirrors, and each paid line that buys time against its term.

    A draft we have not heard of is in its hour: nothing was asked of anybody yet.
    """
    rows = [row for row in rows if subscription_of(row)]
    ours = Invoice.objects.in_bulk([row["id"] for row in rows], field_name="stripe_id")
    known_payers = Subscription.objects.filter(stripe_id__in=map(subscription_of, rows))
    payers = set(known_payers.values_list("stripe_id", flat=True))
    bought = {row["id"]: _refs(row) for row in rows if row["status"] == "paid"}
    terms = set(Term.objects.filter(source_ref__in=chain(*bought.values())).values_list("source_ref", flat=True))
    found = {}
    for row in rows:
        known = ours.get(row["id"])
        if known is None:
            missed = row["status"] != "draft" and subscription_of(row) in payers
            said = f"not known here ({row['status']})" if missed else ""
        else:
            said = _changed(known, mirror.invoice_state(row))
        lacking = [ref for ref in bought.get(row["id"], []) if ref not in terms]
        if not said and known is not None and lacking and not misplaced.is_known(subscription_of(row)):
            said = "paid, and bought no term"
        if said:
            found[row["id"]] = said
    return found


def subscription_of(invoice: Row) -> str:
    """The id of the subscription an invoice belongs to; "" for one of none."""
    parent = (invoice.get("parent") or {}).get("subscription_details") or {}
    reference = parent.get("subscription") or ""
    return reference if isinstance(reference, str) else str(reference["id"])


def _refs(invoice: Row) -> list[str]:
    return [term_ref(line["id"]) for line in invoice["lines"]["data"] if mirror.buys_time(line)]


def customers(rows: list[Row]) -> Differences:
    """Customers that name a member whose customer we do not know, or a member that does not exist."""
    naming = {row["id"]: named for row in rows if (named := (row.get("metadata") or {}).get("member", "")).isdecimal()}
    known = set(Customer.objects.filter(stripe_id__in=naming).values_list("stripe_id", flat=True))
    members = set(Member.objects.filter(pk__in=map(int, naming.values())).values_list("pk", flat=True))
    having = set(Customer.objects.filter(member__in=members).values_list("member_id", flat=True))
    found = {}
    for ident, named in naming.items():
        if ident not in known and int(named) not in members:
            found[ident] = f"names member {named}, who does not exist"
        elif ident not in known and int(named) not in having:
            found[ident] = f"of member {named}, not known here"
    return found


def charges(rows: list[Row]) -> Differences:
    """What was taken from our customers, and how much of each went back. A charge for no invoice is not ours."""
    rows = [row for row in rows if row["paid"] and row["amount_captured"]]
    ours = Payment.objects.in_bulk([row["id"] for row in rows], field_name="stripe_id")
    back = dict(
        Refund.objects.filter(payment__in=ours.values(), state__in=MOVED)
        .values_list("payment__stripe_id")
        .annotate(given=Sum("amount"))
        .order_by()
    )
    payers = _known_customers(rows)
    found = {}
    for row in rows:
        known, currency = ours.get(row["id"]), row["currency"].upper()
        if known is None:
            if row["customer"] in payers and hints.invoices_of(row):
                found[row["id"]] = f"not known here ({row['amount_captured']} {currency})"
            continue
        there = (_ours(row, "amount_captured"), _ours(row, "amount_refunded"))
        here = (known.captured, back.get(row["id"], 0))
        if here != there:
            found[row["id"]] = f"captured and refunded {here}, at Stripe {there}"
    return found


def refunds(rows: list[Row]) -> Differences:
    """What went back of payments that we know."""
    ours = Refund.objects.in_bulk([row["id"] for row in rows], field_name="stripe_id")
    payments = _known_payments(rows)
    found = {}
    for row in rows:
        known, there = ours.get(row["id"]), (_ours(row, "amount"), refund_outcomes.STATES[row["status"]].value)
        if known is None and row["charge"] in payments:
            found[row["id"]] = f"not known here ({row['status']})"
        elif known is not None and (known.amount, known.state) != there:
            found[row["id"]] = f"amount and state {(known.amount, known.state)}, at Stripe {there}"
    return found


def disputes(rows: list[Row]) -> Differences:
    """What is contested of payments that we know."""
    ours = Dispute.objects.in_bulk([row["id"] for row in rows], field_name="stripe_id")
    payments = _known_payments(rows)
    found = {}
    for row in rows:
        known = ours.get(row["id"])
        if known is None and row["charge"] in payments:
            found[row["id"]] = f"not known here ({row['status']})"
        elif known is not None and known.status != row["status"]:
            found[row["id"]] = f"status {known.status}, at Stripe {row['status']}"
    return found


def _ours(row: Row, field: str) -> int:
    return gateway.from_stripe(row[field], row["currency"].upper())


def _known_customers(rows: list[Row]) -> set[str]:
    named = {row["customer"] for row in rows if row["customer"]}
    return set(Customer.objects.filter(stripe_id__in=named).values_list("stripe_id", flat=True))


def _known_payments(rows: list[Row]) -> set[str]:
    return set(Payment.objects.filter(stripe_id__in=[r["charge"] for r in rows]).values_list("stripe_id", flat=True))
