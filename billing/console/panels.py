"""What billing shows on a member's page in the console: the next charge, what is owed, the latest invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.template.loader import render_to_string

from billing import dunning, next_charge, outlook, overdue, trouble, untold
from billing.console import charged
from billing.models import Customer, Invoice
from membership import lifecycle, panels

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

    from membership.models import Member, Membership

SHOWN = 4


@panels.register("console-member", order=10)
def money(request: HttpRequest, *, member: Member, membership: Membership | None, at: datetime) -> str:
    """Nothing here asks Stripe; but whoever looks at an overdue membership has it read again, as the portal does."""
    if membership is not None:
        overdue.notice(membership, at=at)
    unpaid = dunning.trouble_of(membership) if membership and membership.status in lifecycle.LIVING else None
    renews = membership is not None and membership.renewal_expected and membership.ended_at is None
    charge_at = outlook.charge_at(membership) if membership else None
    context: dict[str, Any] = {
        "membership": membership,
        "price": next_charge.price(membership) if membership else None,
        "charge_at": charge_at,
        "renews": renews,
        "awaited": renews and charge_at is not None and charge_at <= at,
        "letter": untold.letter(membership) if membership and renews else None,
        "unpaid": unpaid,
        "trouble": trouble.reason(unpaid) if unpaid else "",
        "invoices": list(Invoice.objects.filter(membership__member=member).prefetch_related("payments")[:SHOWN]),
        "since_canceling": charged.since_canceling(membership) if membership else [],
        "customer": Customer.objects.filter(member=member).first(),
    }
    return render_to_string("console/billing_facts.html", context, request)
