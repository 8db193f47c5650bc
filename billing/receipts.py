"""Receipts: one mail for each invoice that was paid with money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from membership import messages
from membership.models import Message

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from billing.models import Invoice, InvoiceLine
    from membership.models import Membership


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
            context = {"invoice": invoice, "lines": bought}
            messages.write(key=keys[invoice], kind="receipt", member=membership.member, at=at, context=context)
