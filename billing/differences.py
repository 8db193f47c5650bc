"""What Stripe's lists say beside what we keep: one function a list, each over a page of it. Reads only; mends nothing.

-> for each object that differs, what differs. What is not ours (another business of the same account) never differs.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from billing import mirror, misplaced
from billing.models import LIVE, Customer, Invoice, StripePrice, Subscription, term_ref
from membership.models import Member, Term

Row = dict[str, Any]
Differences = dict[str, str]
MOVING = {"hosted_url"}  # Stripe gives a new address of the same page now and then


def subscriptions(rows: list[Row]) -> Differences:
    """Subscriptions against their mirrors; one of ours that we do not know; one turned away that lives on."""
    ours = Subscription.objects.select_related("price").in_bulk([row["id"] for row in rows], field_name="stripe_id")
    found = {}
    for row in rows:
        known = ours.get(row["id"])
        if known is not None:
            said = _changed(known, mirror.subscription_state(row))
        elif misplaced.is_known(row["id"]):
            said = "turned away, and alive" if row["status"] in LIVE else ""
        else:
            said = f"not known here ({row['status']})" if _is_ours(row) else ""
        if said:
            found[row["id"]] = said
    return found


def _is_ours(subscription: Row) -> bool:
    if (subscription.get("metadata") or {}).get("membership"):
        return True
    prices = [item["price"]["id"] for item in subscription["items"]["data"]]
    known_payer = Customer.objects.filter(stripe_id=subscription["customer"])
    return known_payer.exists() or StripePrice.objects.filter(stripe_id__in=prices).exists()


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
