"""How billing's entries of the timeline read for staff, and the invoices that belong between them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice
from membership import stories
from membership.stories import Line, Told
from membership.templatetags import vip

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from membership.models import Member, TimelineEntry

WORDS = {
    "dunning.payment_failed": _("The renewal could not be charged."),
    "dunning.action_required": _("The bank wants the member to confirm the renewal."),
    "dunning.hard_decline": _("The bank refuses the card for good."),
    "dunning.grace_ending": _("Told that the time to pay is running out."),
    "dunning.ended": _("Told that it ended unpaid."),
    "payment.misplaced": _("Money came that had no place here; it goes back."),
    "plan.offered": _("Sent the link to change to %(plan)s."),
    "payment.offline": _("Paid offline (%(means)s), reference %(reference)s."),
    "declaration.arrived": _("Declared on the public page that they leave."),
    "notice.renewal": _("Told of the renewal on %(day)s."),
    "reconcile.repaired": _("What we had was not what Stripe has; it was read again (%(differed)s)."),
    "reconcile.seen_to": _("Looked at what differed from Stripe."),
    "stuck.seen_to": _("Looked at work that was stuck."),
    "stripe.read_same": _("Read anew from Stripe: nothing differed."),
    "stripe.read_repaired": _("Read anew from Stripe, and put right (%(differed)s)."),
    "dispute.needs_response": _("The member's bank contests a payment."),
    "dispute.under_review": _("The bank looks at the dispute."),
    "dispute.won": _("The dispute was won."),
    "dispute.lost": _("The dispute was lost."),
    "dispute.warning_needs_response": _("The bank asks about a payment."),
    "dispute.warning_under_review": _("The bank looks at its question."),
    "dispute.warning_closed": _("The bank's question is closed."),
    "dispute.prevented": _("The dispute was prevented."),
    "refund.decided": _("A refund was decided (%(basis)s, %(effect)s)."),
    "refund.asked": _("Asked to give back more than one person may."),
    "refund.approved": _("Approved what %(asked_by)s had asked to give back."),
    "refund.declined": _("Declined what %(asked_by)s had asked to give back."),
    "refund.withdrawn": _("Took back what they had asked to give back."),
    "refund.pending": _("The refund is on its way."),
    "refund.succeeded": _("The refund arrived."),
    "refund.failed": _("The bank did not take the refund: the money is still owed."),
    "refund.canceled": _("The refund was canceled."),
    "refund.refused": _("Stripe refused the refund: nothing went back."),
}
CODES = {
    "cooling_off": _("change of mind"),
    "house": _("the house's rule"),
    "goodwill": _("goodwill"),
    "misplaced": _("money without a place"),
    "stripe": _("made at Stripe"),
    "money_only": _("the membership goes on"),
    "end_now": _("the membership ends now"),
    "counter": _("at the counter"),
    "transfer": _("by transfer"),
    "end_at": _("the membership ends later"),
}
CODED = ("basis", "effect", "means")
STATES = {
    "paid": _("Invoice %(number)s was paid on %(moment)s."),
    "open": _("Invoice %(number)s is open."),
    "void": _("Invoice %(number)s was dropped."),
    "draft": _("Invoice %(number)s is being prepared."),
}
OTHER_STATE = _("Invoice %(number)s was not collected.")


def told(entries: Sequence[TimelineEntry]) -> list[Told]:
    names = stories.names_of(entry.data["asked_by"] for entry in entries if "asked_by" in entry.data)
    return [Told(str(WORDS[entry.kind]) % _facts(entry, names), _worth(entry)) for entry in entries]


def _facts(entry: TimelineEntry, names: dict[str, str]) -> dict[str, str]:
    facts = {name: str(CODES.get(entry.data.get(name, ""), entry.data.get(name, ""))) for name in CODED}
    announced = entry.data.get("day")
    return facts | {
        "day": vip.day(date.fromisoformat(announced)) if announced else "",
        "asked_by": names.get(entry.data.get("asked_by", ""), ""),
        "plan": entry.data.get("plan", ""),
        "reference": entry.data.get("reference", ""),
        "differed": entry.data.get("differed", ""),
    }


def _worth(entry: TimelineEntry) -> list[tuple[int, str]]:
    amount, currency = entry.data.get("amount"), entry.data.get("currency")
    return [(amount, currency)] if isinstance(amount, int) and currency else []


stories.register(group="money", kinds=WORDS, told=told)
# "I was charged after I canceled": whoever looks at the money sees when that was.
stories.show_beside(group="money", kinds=("membership.cancel", "membership.undo_cancel", "membership.end"))


@stories.add(group="money")
def invoices(member: Member, before: datetime | None, limit: int) -> list[Line]:
    """Each invoice where it was made, with what became of it."""
    found = Invoice.objects.filter(membership__member=member).prefetch_related("payments").order_by("-made_at", "-pk")
    if before is not None:
        found = found.filter(made_at__lt=before)
    return [_line(invoice) for invoice in found[:limit]]


def _line(invoice: Invoice) -> Line:
    back = invoice.returned
    facts = {"number": invoice.number, "moment": vip.moment(invoice.paid_at)}
    return Line(
        at=invoice.made_at,
        order=invoice.pk,
        group="money",
        words=" ".join((str(STATES.get(invoice.status, OTHER_STATE)) % facts).split()),
        worth=[(invoice.total, invoice.currency)],
        note=gettext("%(amount)s given back") % {"amount": vip.money_exact(back, invoice.currency)} if back else "",
    )
