"""The announcements of the ground floor. All are sent inside the transaction that made the change, so that what
the upper apps keep beside it (grants, the entitlement row) commits with it or not at all."""

from django.dispatch import Signal

membership_changed = Signal()  # membership=Membership, at=datetime
card_changed = Signal()  # card=Card, at=datetime
mail_came_back = Signal()  # message=Message, at=datetime; and once more when somebody has seen to it
tier_renamed = Signal()  # tier=Tier, at=datetime
address_confirmed = Signal()  # member=Member, at=datetime
