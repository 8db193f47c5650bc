"""Mirrors: Stripe's objects, in today's shapes, as our rows. Called by sync inside its transaction; decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing import gateway, trouble
from billing.models import Customer, Invoice, InvoiceLine, StripePrice, Subscription
from membership import search
from membership.models import Membership, Price, SearchKey

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


def prices(ids: Iterable[str | None]) -> dict[str, Price]:
    """Our prices, with their plans, by the ids they have at Stripe: one question for as many as a page holds."""
    known = StripePrice.objects.filter(stripe_id__in={ident for ident in ids if ident})
    return {row.stripe_id: row.price for row in known.select_related("price__plan")}


def price_id(subscription: dict[str, Any]) -> str:
    """The id of the price a subscription is at."""
    return str(subscription["items"]["data"][0]["price"]["id"])


def subscription_state(read: dict[str, Any], known: dict[str, Price]) -> dict[str, Any]:
    """What our row says of a subscription that reads so, at one of the `known` prices or at one that is not ours."""
    item = read["items"]["data"][0]  # its period lies on the item, not on the subscription
    return {
        "status": read["status"],
        "price": known.get(price_id(read)),
        "cancel_at_period_end": read["cancel_at_period_end"],
        "cancel_at": gateway.moment_or_none(read["cancel_at"]),
        "current_period_end": gateway.moment_or_none(item["current_period_end"]),
    }


def invoice_state(read: dict[str, Any]) -> dict[str, Any]:
    """What our row says of an invoice that reads so."""
    currency, still_open = read["currency"].upper(), read["status"] == "open"
    return {
        "number": read.get("number") or "",
        "status": read["status"],
        "billing_reason": read.get("billing_reason") or "",
        "currency": currency,
        "total": gateway.from_stripe(read["total"], currency),
        "amount_paid": gateway.from_stripe(read["amount_paid"], currency),
        "amount_due": gateway.from_stripe(read["amount_remaining"], currency) if still_open else 0,
        "attempts": read["attempt_count"],
        "next_try_at": gateway.moment_or_none(read["next_payment_attempt"]) if still_open else None,
        "hosted_url": read.get("hosted_invoice_url") or "",
        "made_at": gateway.moment(read["created"]),
        "paid_at": gateway.moment_or_none(read["status_transitions"]["paid_at"]),
    }


def subscription(membership: Membership, read: dict[str, Any], began: datetime) -> Subscription:
    """Upsert the subscription; a slower, older read does not overwrite a newer one."""
    state = subscription_state(read, prices([price_id(read)])) | {"read_at": began}
    row, new = Subscription.objects.get_or_create(stripe_id=read["id"], defaults={"membership": membership, **state})
    if new:
        search.put(member=membership.member, kind=SearchKey.Kind.STRIPE, value=row.stripe_id)
    else:
        Subscription.objects.filter(pk=row.pk, read_at__lt=began).update(**state)
    return row


def end_of_known(read: dict[str, Any], began: datetime) -> None:
    """Keep the status of a subscription whose money has no place: where it lives no more, nothing waits for it."""
    Subscription.objects.filter(stripe_id=read["id"], read_at__lt=began).update(status=read["status"], read_at=began)


def known_invoices(reads: list[dict[str, Any]], began: datetime) -> None:
    """Keep what became of the invoices we knew, of a subscription whose money has no place: nobody owes them now."""
    for read in reads:
        Invoice.objects.filter(stripe_id=read["id"], read_at__lt=began).update(**invoice_state(read), read_at=began)


def invoices(membership: Membership, reads: list[dict[str, Any]], began: datetime) -> list[InvoiceLine]:
    """Upsert invoices with their lines; a slower, older read changes neither. -> the lines, each with its invoice.

    Most of them are as they were last time, so what is known is asked for at once, and lines are written that differ.
    """
    for currency in {read["currency"].upper() for read in reads}:
        Customer.objects.filter(member=membership.member_id, currency="").update(currency=currency)
    listed = [line for read in reads for line in read["lines"]["data"]]
    known = prices(map(_price_of, listed))
    kept = InvoiceLine.objects.filter(stripe_id__in=[line["id"] for line in listed]).select_related("plan")
    lines = {line.stripe_id: line for line in kept}
    return [line for read in reads for line in _invoice(membership, read, began, known, lines)]


def _invoice(
    membership: Membership,
    read: dict[str, Any],
    began: datetime,
    known: dict[str, Price],
    lines: dict[str, InvoiceLine],
) -> list[InvoiceLine]:
    state = invoice_state(read) | read.get("trouble", trouble.NONE) | {"read_at": began}
    row, new = Invoice.objects.get_or_create(stripe_id=read["id"], defaults={"membership": membership, **state})
    if new:
        search.put(member=membership.member, kind=SearchKey.Kind.STRIPE, value=row.stripe_id)
    elif not Invoice.objects.filter(pk=row.pk, read_at__lt=began).update(**state):
        return list(row.lines.select_related("invoice", "plan"))
    for name, value in state.items():
        setattr(row, name, value)
    return [_line(row, line, known, lines.get(line["id"])) for line in read["lines"]["data"]]


def _line(row: Invoice, read: dict[str, Any], known: dict[str, Price], line: InvoiceLine | None) -> InvoiceLine:
    """The row of a line that reads so; `line` is what we have of it."""
    line = line or InvoiceLine(stripe_id=read["id"])
    price = known.get(_price_of(read) or "")
    state = {
        "invoice_id": row.pk,
        "plan_id": price.plan_id if price else None,
        "description": read.get("description") or "",
        "amount": gateway.from_stripe(read["amount"], row.currency),
        "discount": gateway.from_stripe(sum(d["amount"] for d in read.get("discount_amounts") or []), row.currency),
        "starts_at": gateway.moment(read["period"]["start"]),
        "ends_at": gateway.moment(read["period"]["end"]),
        "buys_time": buys_time(read),
        "changes_plan": changes_plan(read),
    }
    differs = line.pk is None or any(getattr(line, name) != value for name, value in state.items())
    for name, value in state.items():
        setattr(line, name, value)
    if differs:
        line.save()
    line.invoice = row
    return line


def buys_time(line: dict[str, Any]) -> bool:
    """A subscription's own line at its price, however discounted; never a proration, never a trial's zero line."""
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or {}
    return parent.get("type") == "subscription_item_details" and not details.get("proration") and line["amount"] > 0


def changes_plan(line: dict[str, Any]) -> bool:
    """The debit of a proration: the rest of a period at another price. Its credit names the lines it gives back."""
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or {}
    credit = (details.get("proration_details") or {}).get("credited_items")
    return bool(details.get("proration")) and not credit and line["amount"] >= 0


def _price_of(line: dict[str, Any]) -> str | None:
    details = (line.get("pricing") or {}).get("price_details") or {}
    return details.get("price")
