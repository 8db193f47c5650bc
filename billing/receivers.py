"""What billing does when the ground floor announces a change: inside that change's transaction."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.dispatch import receiver

from billing import aligning, gateway, notices, setup, untold
from membership.signals import address_confirmed, mail_came_back, membership_changed, tier_renamed

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Member, Membership, Message, Tier

log = logging.getLogger("vip.billing")


@receiver(membership_changed, dispatch_uid="billing.membership_changed")
def on_membership_changed(*, membership: Membership, at: datetime, **_: Any) -> None:
    """What Stripe must be told follows the facts, and so does what is owed to be told before the next charge."""
    aligning.plan(membership)
    notices.plan(membership=membership, at=at)


@receiver(mail_came_back, dispatch_uid="billing.mail_came_back")
def on_mail_came_back(*, message: Message, **_: Any) -> None:
    """A letter about a renewal came back, or was seen to: the charge waits, or goes on."""
    if message.member is not None and untold.is_about_a_renewal(message):
        _align(message.member)


@receiver(address_confirmed, dispatch_uid="billing.address_confirmed")
def on_address_confirmed(*, member: Member, at: datetime, **_: Any) -> None:
    """What came back from the old address goes to this one."""
    if untold.tell_again(member=member, at=at):
        _align(member)


@receiver(tier_renamed, dispatch_uid="billing.tier_renamed")
def on_tier_renamed(*, tier: Tier, **_: Any) -> None:
    """Stripe's invoices say a product's name; its own is not waited for."""
    transaction.on_commit(partial(_rename, tier), robust=True)


def _rename(tier: Tier) -> None:
    try:
        setup.rename(tier)
    except (gateway.StripeUnavailable, gateway.StripeRefused):
        log.warning("Stripe does not know the new name of tier %s yet: run stripe_setup", tier.code)


def _align(member: Member) -> None:
    for membership in untold.memberships(member):
        aligning.plan(membership)
