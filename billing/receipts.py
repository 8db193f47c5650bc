"""Receipts: one mail for each invoice that was paid with money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from membership import messages

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Invoice


def send(invoice: Invoice, *, at: datetime) -> None:
    """Write the receipt of a paid invoice, once. One that asks for nothing (a trial's, a credit's) needs none."""
    if invoice.total <= 0 and not invoice.lines.filter(buys_time=True).exists():
        return
    messages.write(
        key=f"receipt:{invoice.stripe_id}",
        kind="receipt",
        member=invoice.membership.member,
        at=at,
        context={"invoice": invoice, "lines": list(invoice.lines.all())},
    )
