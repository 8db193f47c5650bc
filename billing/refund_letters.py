"""The letters of a refund: that money goes back and what that means, and that a bank would not take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from membership import messages

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Refund


def made(rows: list[Refund], *, at: datetime) -> None:
    """Once a decision: how much, of which invoices, what happens to the membership. It is the receipt of a withdrawal
    too, hence the moment it was decided (Directive 2011/83/EU, Art. 11a(4))."""
    first = rows[0]
    context = {
        "refund": first,
        "membership": first.membership,
        "amount": sum(row.amount for row in rows),
        "invoices": [row.payment.invoice for row in rows if row.payment.invoice],
        "ends": first.ends_membership,
    }
    messages.write(
        key=f"refund:{first.decision}", kind="refund", member=first.membership.member, at=at, context=context
    )


def failed(row: Refund, *, at: datetime) -> None:
    """The bank sent it back, or staff called it off at Stripe: it is still owed, and we say so."""
    messages.write(
        key=f"refund_failed:{row.pk}",
        kind="refund_failed",
        member=row.membership.member,
        at=at,
        context={"refund": row},
    )
