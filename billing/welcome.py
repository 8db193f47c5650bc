"""The welcome mail's facts from above the ground floor: what the member now has, and what is charged next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import translation

from billing import next_charge, notices
from membership import emails
from perks import members
from perks.models import TierPerk

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from billing.models import InvoiceLine
    from membership.models import Card, Membership, Message


def send(*, membership: Membership, card: Card, lines: Iterable[InvoiceLine], at: datetime) -> Message:
    """Once a membership becomes active, with `lines` of what was paid. Membership loaded with facts."""
    return emails.welcome(membership=membership, card=card, at=at, more=_more(membership, lines))


def _more(membership: Membership, lines: Iterable[InvoiceLine]) -> dict[str, Any]:
    """The amount is named where it is certain: a discount may go on, and only Stripe knows that."""
    subscription = next_charge.live(membership)
    renews = membership.renewal_expected and subscription is not None
    term = max(membership.terms.all(), key=lambda t: t.starts_at)
    discounted = any(line.discount for line in lines)
    with translation.override(membership.member.user.language):
        offered = TierPerk.objects.filter(tier=membership.plan.tier_id, perk__published=True).select_related("perk")
        perks = [members.words(o.perk.kind, o.sold_settings()) for o in offered.order_by("perk__position", "pk")]
    return {
        "perks": perks,
        "renews_at": term.ends_at if renews else None,
        "price": subscription.price if subscription and renews and not discounted else None,
        "told_before": bool(notices.steps(term=term, plan=membership.plan)),
    }
