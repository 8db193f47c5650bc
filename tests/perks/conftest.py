"""The standing cast at the perk API: the programme of the demo, a shop with its key, and members who lived a little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from membership import lifecycle
from perks import programme
from tests import factories

if TYPE_CHECKING:
    from membership.models import Member, Membership
    from tests.moment import Clock


@pytest.fixture
def laurel(db: None, clock: Clock) -> None:
    """The demo's programme, loaded at the clock's moment."""
    programme.load(programme=programme.read("laurel"), at=clock.now)


@pytest.fixture
def joined(laurel: None, clock: Clock):
    """Join somebody: joined("gold-year") -> membership with one paid term from now on."""
    count = 0

    def join(plan: str = "gold-year", *, member: Member | None = None) -> Membership:
        nonlocal count
        count += 1
        at = clock.now
        who = member or factories.member(at=at)
        wanted = factories.plan(plan)
        membership = lifecycle.reserve(member=who, plan=wanted, currency="EUR", at=at, actor="system")
        lifecycle.add_term(
            membership=membership,
            source="paid",
            source_ref=f"in_{who.pk}_{count}",
            plan=wanted,
            at=at,
            actor="stripe",
        )
        membership.refresh_from_db()
        return membership

    return join
