"""What of billing waits for a person: renewals that are not paid, mails that did not go out, what the nightly
comparison found, declarations. Each question has its index (the models say which)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import approvals, declarations, declared, trouble
from billing.models import AskedRefund, Declaration, Invoice
from membership import lifecycle
from membership.console import queues
from membership.console.queues import Queue, Row
from membership.roles import Permission
from membership.templatetags import vip

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

queues.register(
    Queue(
        code="payment-failed",
        label=_("Payment failed"),
        about=_("The bank said no to a renewal. The member has a letter with the way to mend it; a call may help."),
        empty=_("Every renewal that was tried is paid."),
        order=10,
    )
)
queues.register(
    Queue(
        code="action-required",
        label=_("Bank asks to confirm"),
        about=_("The bank wants the member to confirm the payment. The letter leads them there."),
        empty=_("No bank waits for a member's word."),
        order=15,
    )
)
queues.register(
    Queue(
        code="second-person",
        label=_("Second person needed"),
        about=_("Refunds above the limit for one person. Somebody else than who asked gives them, or declines."),
        empty=_("No refund waits for a second person."),
        order=25,
        permission=Permission.APPROVE,
    )
)
queues.register(
    Queue(
        code="declarations",
        label=_("Declarations"),
        about=_("Cancellations and withdrawals from the public pages that need a person. Their time counts already."),
        empty=_("All that was declared is carried out."),
        order=30,
    )
)


def not_paid(at: datetime) -> QuerySet[Invoice]:
    """By the index `invoices_not_paid`."""
    return _open_invoices().exclude(trouble="").exclude(trouble=Invoice.Trouble.ACTION)


def to_confirm(at: datetime) -> QuerySet[Invoice]:
    """By the index `invoices_to_confirm`."""
    return _open_invoices().filter(trouble=Invoice.Trouble.ACTION)


def _open_invoices() -> QuerySet[Invoice]:
    living = Invoice.objects.filter(status="open", membership__status__in=sorted(lifecycle.LIVING))
    return living.select_related("membership__member").order_by("made_at", "pk")


@queues.source("payment-failed", not_paid)
@queues.source("action-required", to_confirm)
def unpaid(rows: Sequence[Invoice], at: datetime) -> list[Row]:
    return [
        Row(
            member=row.membership.member,
            what=vip.money_exact(row.amount_due, row.currency),
            note=trouble.reason(row),
            since=row.made_at,
            due=row.next_try_at,
            url=reverse("console-member", args=[row.membership.member.number]),
            act=gettext("Open the member"),
        )
        for row in rows
    ]


@queues.source("second-person", approvals.waiting)
def asked(rows: Sequence[AskedRefund], at: datetime) -> list[Row]:
    return [
        Row(
            member=row.membership.member,
            what=vip.money_exact(row.amount, row.currency),
            note=gettext("%(name)s: “%(reason)s”") % {"name": row.asked_by.staff.name, "reason": row.reason},
            since=row.asked_at,
            due=row.expires_at,
            url=reverse("console-approve", args=[row.pk]),
            act=gettext("Approve or decline"),
        )
        for row in rows
    ]


WHY = {
    declared.UNKNOWN: _("No account has this address."),
    declared.UNPROVEN: _("The number is missing or another's: asked at the account's address."),
    declared.FOR_CAUSE: _("For cause: canceled for the term's end. Read the reason and decide about an earlier end."),
    declared.ENDS_LATER: _("To end later than the next term would: cancel it in time."),
    declared.RENEWED: _("Canceled, but a renewal was paid after this had arrived: give it back."),
    declared.TOO_LATE: _("Withdrawn after the law's days: goodwill, the house's refund, or a refusal in words."),
    declared.NOTHING_PAID: _("Withdrawn, but nothing was paid that could go back by itself."),
}


@queues.source("declarations", lambda at: declarations.for_staff().select_related("member"))
def declared_and_waiting(rows: Sequence[Declaration], at: datetime) -> list[Row]:
    return [
        Row(
            member=row.member,
            who=row.name,
            what=kind_of(row),
            note=why(row),
            since=row.arrived_at,
            url=reverse("console-declaration", args=[row.token]),
            act=gettext("Look at it"),
        )
        for row in rows
    ]


def kind_of(row: Declaration) -> str:
    return gettext("Withdrawal") if row.kind == Declaration.Kind.WITHDRAW else gettext("Cancellation")


def why(row: Declaration) -> str:
    """What it waits for, in words; a reason that nobody put into words is shown as it stands."""
    return str(WHY.get(row.parked_reason, row.parked_reason))
