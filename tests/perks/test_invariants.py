"""I5, broken by hand: what a till honored that it should not have is reported, and nothing else is."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from membership import lifecycle
from membership.models import Membership
from perks.models import Decision, Entitlement, Grant, Redemption, Shop
from tests.invariants import breached

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db, clock) -> Shop:
    return Shop.objects.create(name="Till 1", created_at=clock.now)


@pytest.fixture
def held(laurel, clock):
    """An offline member of a day ago."""
    from tests import factories

    plan = factories.plan("gold-year")
    membership = lifecycle.reserve(
        member=factories.member(at=clock.now), plan=plan, currency="EUR", at=clock.now, actor="staff:1"
    )
    lifecycle.add_term(
        membership=membership, source="offline", source_ref="cash:1", plan=plan, at=clock.now, actor="staff:1"
    )
    clock.move(days=1)
    assert breached() == set()
    return membership


def redeem(membership, shop, at) -> None:
    grant = Grant.objects.filter(membership=membership).first()
    Redemption.objects.create(
        ident="red_1",
        member=membership.member,
        grant=grant,
        shop=shop,
        period="",
        idempotency_key=f"k{at}",
        order_ref="o1",
        currency="EUR",
        held_at=at,
        expires_at=at,
    )


def answered(membership, shop, at, told: str = "current") -> None:
    answer = orjson.dumps({"member": {"standing": told}, "decisions": []}).decode()
    Decision.objects.create(
        id=f"chk_{at:%H%M%S}", shop=shop, member=membership.member, decided_at=at, question="{}", answer=answer
    )


class TestI5:
    def test_a_redemption_while_a_dispute_holds_the_perks(self, held, shop, clock):
        lifecycle.suspend(membership=held, source="dispute", source_ref="dp_1", at=clock.now, actor="stripe")
        clock.move(seconds=4)
        redeem(held, shop, clock.now)
        assert "I5" not in breached()
        clock.move(seconds=2)
        redeem(held, shop, clock.now)
        assert "I5" in breached()

    def test_an_answer_more_than_five_seconds_after_an_end_for_cause(self, held, shop, clock):
        lifecycle.end(membership=held, reason="refunded", at=clock.now, actor="staff:1")
        clock.move(seconds=4)
        answered(held, shop, clock.now)
        clock.move(seconds=2)
        answered(held, shop, clock.now, told="ended")
        assert breached() == set()
        clock.move(seconds=1)
        answered(held, shop, clock.now)
        assert breached() == {"I5"}

    def test_not_an_answer_in_the_moment_of_an_end_that_followed_at_once(self, held, shop, clock):
        """As where a clock stands still: joined, asked about and ended at one and the same moment."""
        lifecycle.end(membership=held, reason="staff", at=clock.now, actor="staff:1")
        again = lifecycle.reserve(member=held.member, plan=held.plan, currency="EUR", at=clock.now, actor="staff:1")
        lifecycle.add_term(
            membership=again, source="offline", source_ref="cash:2", plan=held.plan, at=clock.now, actor="staff:1"
        )
        answered(held, shop, clock.now)
        lifecycle.end(membership=again, reason="staff", at=clock.now, actor="staff:1")
        assert breached() == set()
        clock.move(seconds=6)
        answered(held, shop, clock.now)
        assert breached() == {"I5"}

    def test_not_what_was_honored_in_grace_before_its_end(self, held, shop, clock):
        Membership.objects.filter(pk=held.pk).update(renewal_expected=True)
        held.refresh_from_db()
        clock.move_to(held.entitled_until + timedelta(days=2))
        redeem(held, shop, clock.now)
        answered(held, shop, clock.now, told="grace")
        clock.move(hours=2)
        lifecycle.end(membership=held, reason="staff", at=clock.now, actor="staff:1")
        assert "I5" not in breached()
        clock.move(seconds=6)
        answered(held, shop, clock.now, told="grace")
        assert "I5" in breached()

    def test_not_what_an_earlier_membership_was_honored_for(self, held, shop, clock):
        answered(held, shop, clock.now)
        clock.move(hours=1)
        lifecycle.end(membership=held, reason="refunded", at=clock.now, actor="staff:1")
        clock.move(hours=1)
        again = lifecycle.reserve(member=held.member, plan=held.plan, currency="EUR", at=clock.now, actor="staff:1")
        lifecycle.add_term(
            membership=again, source="offline", source_ref="cash:2", plan=held.plan, at=clock.now, actor="staff:1"
        )
        assert "I5" not in breached()

    def test_a_grant_that_outlasts_its_membership(self, held, clock):
        from perks import entitlements

        Grant.objects.update(ends_at=held.reserved_at.replace(year=2031))
        entitlements.rebuild(member=held.member, at=Entitlement.objects.get().computed_at)
        assert breached() == {"I5"}
