"""What a member does on the pages of another plan, and how things stand afterwards."""

from __future__ import annotations

import html

from billing import gateway
from billing.models import Invoice, Subscription
from membership.models import Membership
from perks import lookup


def ask(visitor, plan="gold-year") -> str:
    """Press "See what it costs". -> the quote's address."""
    answer = visitor.post(f"/portal/change-plan/{plan}/quote/")
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def words(answer) -> str:
    """What the page says, with ordinary spaces."""
    return html.unescape(answer.content.decode()).replace("\xa0", " ")


def tier(clock, member=None) -> str:
    """The tier as a shop's perk check sees it now."""
    found = lookup.by_member((member or Membership.objects.get().member).pk, at=clock.now)
    assert found is not None
    assert found.facts is not None
    return str(found.facts.tier(clock.now))


def at_stripe():
    return gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id)


def paid() -> list[int]:
    return list(Invoice.objects.filter(status="paid").order_by("made_at", "pk").values_list("amount_paid", flat=True))


def decline(visitor) -> str:
    """From now on the card on file is refused. -> the good one's id."""
    api, subscription = gateway.client().v1, at_stripe()
    bad = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": subscription.customer})
    api.subscriptions.update(subscription.id, {"default_payment_method": bad.id})
    return str(subscription.default_payment_method)
