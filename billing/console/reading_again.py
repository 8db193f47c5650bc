"""Reading one member's subscription and invoices anew from Stripe, where a clerk doubts what stands here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import sync
from billing.models import Invoice, Subscription
from membership import audit, standing, timeline
from membership.console.acts import Act, Case, offer
from membership.console.members_report import SHOWN as STANDINGS
from membership.models import Membership
from membership.templatetags import vip

if TYPE_CHECKING:
    from datetime import datetime


def newest(membership: Membership | None) -> Subscription | None:
    return Subscription.objects.filter(membership=membership).order_by("-pk").first() if membership else None


@offer
class ReadAgain(Act):
    name, order = "read-again", 70
    label, button, done = _("Read anew from Stripe"), _("Read it anew"), _("Read anew: nothing differed.")
    about = _("What Stripe has of this member's subscription, invoices and payments is read now, and counts here.")

    def fits(self, case: Case) -> bool:
        return newest(case.membership) is not None

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        found = newest(case.membership)
        return [
            gettext("%(subscription)s and its invoices are read anew, and what differs here is put right.")
            % {"subscription": found.stripe_id if found else ""},
            gettext("Nothing is charged. What Stripe took that has no place here goes back, as it always does."),
        ]

    def do(self, case: Case, asked: dict[str, Any]) -> str | None:
        found = newest(case.membership)
        assert found is not None
        before = picture(found, at=case.at)
        sync.subscription(found.stripe_id)
        after = picture(found, at=case.at)
        differed = [name for name in after if before.get(name) != after[name]]
        data = {"subscription": found.stripe_id, "differed": ", ".join(differed)[:400]}
        member, actor = case.member, case.staff.actor
        kind = "stripe.read_repaired" if differed else "stripe.read_same"
        with transaction.atomic():
            timeline.write(member=member, kind=kind, at=case.at, actor=actor, data=data)
            audit.write(actor=actor, verb="read_again", subject=f"membership:{case.held.pk}", at=case.at, data=data)
        if not differed:
            return None
        told = "; ".join(f"{name}: {before.get(name, '–')} → {after[name]}" for name in differed)
        return gettext("Read anew, and put right: %(differed)s.") % {"differed": told}


def picture(subscription: Subscription, *, at: datetime) -> dict[str, str]:
    """What a clerk would see differ: standing, last day, and what became of the subscription and of each invoice."""
    membership = Membership.objects.with_facts().get(pk=subscription.membership_id)
    held = standing.at(membership, at)
    told = {
        gettext("Standing"): str(STANDINGS[held]),
        gettext("Last day"): vip.last_day(membership.entitled_until, membership.time_zone) or "–",
        subscription.stripe_id: Subscription.objects.get(pk=subscription.pk).status,
    }
    invoices = Invoice.objects.filter(membership=membership).order_by("pk").values_list("stripe_id", "number", "status")
    return told | {number or ident: status for ident, number, status in invoices}
