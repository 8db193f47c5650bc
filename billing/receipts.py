"""Receipts: one mail for each invoice that was paid with money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing import next_charge, outlook
from membership import messages
from membership.models import Membership, Message

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from billing.models import Invoice, InvoiceLine


def send(membership: Membership, lines: Iterable[InvoiceLine], *, at: datetime) -> None:
    """Write the receipt of each paid invoice among these `lines`, once.

    One that asks for nothing (a trial's, a credit's) needs none. Most were written in other years: one question says
    which, whatever the number of years.
    """
    paid: dict[Invoice, list[InvoiceLine]] = {}
    for line in lines:
        if line.invoice.status == "paid":
            paid.setdefault(line.invoice, []).append(line)
    keys = {invoice: f"receipt:{invoice.stripe_id}" for invoice in paid}
    written = set(Message.objects.filter(key__in=keys.values()).values_list("key", flat=True))
    for invoice, bought in paid.items():
        if keys[invoice] not in written and (invoice.total > 0 or any(line.buys_time for line in bought)):
            context = {"invoice": invoice, "lines": bought, **_what_follows(membership, bought)}
            messages.write(key=keys[invoice], kind="receipt", member=membership.member, at=at, context=context)


def _what_follows(membership: Membership, bought: list[InvoiceLine]) -> dict[str, Any]:
    """The next charge, where this payment is the newest of a membership that renews.

    The amount is named where it is certain: a discount may go on, and only Stripe knows that.
    """
    membership = Membership.objects.with_facts().get(pk=membership.pk)
    renews_at = outlook.charge_at(membership)
    newest = renews_at is not None and any(line.buys_time and line.ends_at >= renews_at for line in bought)
    if not newest or not membership.renewal_expected or next_charge.live(membership) is None:
        return {}
    discounted = any(line.discount for line in bought)
    return {"renews_at": renews_at, "price": None if discounted else next_charge.price(membership)}
