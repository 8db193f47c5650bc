"""The two announcements of the ground floor. Both are sent inside the transaction that made the change, so that what
the upper apps keep beside it (grants, the entitlement row) commits with it or not at all."""

from django.dispatch import Signal

membership_changed = Signal()  # membership=Membership, at=datetime
card_changed = Signal()  # card=Card, at=datetime
