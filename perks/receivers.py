"""What perks does when the ground floor announces a change: inside that change's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.dispatch import receiver

from membership.models import Card, Membership
from membership.signals import card_changed, membership_changed
from perks import entitlements, first_access, grants
from perks.concierge import replies as replies  # takes what members answer by mail

if TYPE_CHECKING:
    from datetime import datetime


@receiver(membership_changed, dispatch_uid="perks.membership_changed")
def on_membership_changed(*, membership: Membership, at: datetime, **_: Any) -> None:
    """Grants follow the terms; the rows of all who live by the membership follow the grants; letters follow them."""
    grants.settle(membership)
    entitlements.rebuild_all(membership=membership, at=at)
    first_access.reconsider(membership=membership, at=at)


@receiver(card_changed, dispatch_uid="perks.card_changed")
def on_card_changed(*, card: Card, at: datetime, **_: Any) -> None:
    entitlements.set_card(member=card.member, at=at)
