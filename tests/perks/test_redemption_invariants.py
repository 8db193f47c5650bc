"""I5, I6, I11 and I18 of redemptions, each broken by hand: exactly that rule is reported."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models import F

from membership import card_token, cards, lifecycle
from membership.models import AuditEntry
from perks import decisions, keys
from perks.models import ApiKey, Redemption
from tests import factories
from tests.invariants import breached, without_constraint
from tests.perks.conftest import Shop, basket, number


@pytest.fixture
def member(laurel, clock):
    """A gold member who paid in cash, a day ago."""
    plan, at = factories.plan("gold-year"), clock.now
    who = factories.member(at=at)
    membership = lifecycle.reserve(member=who, plan=plan, currency="EUR", at=at, actor="staff:1")
    lifecycle.add_term(membership=membership, source="offline", source_ref="cash:1", plan=plan, at=at, actor="staff:1")
    clock.move(days=1)
    return membership


@pytest.fixture
def used(shop: Shop, member) -> Redemption:
    """One committed use of the concierge, for an order of two lines."""
    lines = [{"id": line, "sku": line, "quantity": 2, "unit_amount": 1000} for line in "ab"]
    check = shop.check(member=number(member), basket=basket(lines=lines), perks=["concierge"])
    shop.commit(shop.hold(check, "concierge"))
    assert breached() == set()
    return Redemption.objects.get()


def change(**fields) -> None:
    Redemption.objects.update(**fields)


class TestI6:
    def again(self, used, **fields) -> None:
        """The same use once more, under another key."""
        used.pk, used.ident, used.idempotency_key, used.decision_ref = None, "red_2", "k2", ""
        for name, value in fields.items():
            setattr(used, name, value)
        used.save(force_insert=True)

    @pytest.mark.django_db(transaction=True)
    def test_a_slot_given_out_twice(self, used):
        with without_constraint(Redemption, "one_live_redemption_per_slot"):
            self.again(used)
            assert "I6" in breached()

    @pytest.mark.django_db(transaction=True)
    def test_a_place_given_out_twice(self, used):
        change(event="dyeing", place=1, capacity=9)
        with without_constraint(Redemption, "one_live_redemption_per_place"):
            self.again(used, slot=2, event="dyeing", place=1, capacity=9)
            assert "I6" in breached()

    @pytest.mark.django_db(transaction=True)
    def test_a_slot_beyond_the_allowance(self, used):
        with without_constraint(Redemption, "slot_lies_within_its_allowance"):
            change(slot=F("allowance") + 1)
            assert breached() == {"I6"}

    @pytest.mark.parametrize(
        "fields",
        [{"allowance": 13}, {"slot": None, "allowance": None}, {"period": "2026-03"}, {"draws_on": "grant:0"}],
    )
    def test_a_use_that_is_not_within_the_allowance_that_was_sold(self, used, fields):
        change(**fields)
        assert "I6" in breached()

    def test_two_redemptions_under_one_idempotency_key(self, used, member, shop):
        check = shop.check(member=number(member), basket=basket(), perks=["free-shipping"])
        shop.hold(check, "free-shipping")
        assert breached() == set()
        change(idempotency_key="the-same")
        assert breached() == {"I6"}

    @pytest.mark.parametrize(
        "fields",
        [
            {"returned": {"a": 1}, "worth": 100},
            {"returned": {"a": 2, "b": 2}},
            {"worth": 100, "returned_worth": 1},
            {"returned": {"a": 3}, "worth": 4, "returned_worth": 3},
        ],
    )
    def test_goods_and_worth_that_came_back_out_of_step(self, used, fields):
        change(**fields)
        assert breached() == {"I6"}


def test_i5_a_hold_with_a_card_that_had_been_blocked(shop, member, clock):
    card = cards.issue(member=member.member, at=clock.now, actor="system")
    check = shop.check(member={"card": card_token.issue(card.pk)}, perks=["concierge"])
    shop.hold(check, "concierge")
    clock.move(seconds=1)
    cards.revoke(card=card, reason=cards.RevokeReason.LOST, at=clock.now, actor="staff:1")
    change(held_at=clock.now + timedelta(seconds=5))
    assert "I5" not in breached()
    change(held_at=clock.now + timedelta(seconds=6))
    assert "I5" in breached()


def test_i11_a_hold_that_the_sweep_left_lying(shop, member, clock):
    shop.hold(shop.check(member=number(member), perks=["concierge"]), "concierge")
    clock.move(hours=2)
    assert breached() == set()  # no sweep had the chance
    call_command("tick")
    assert breached() == set()
    change(status="held", closed_at=None)
    assert breached() == {"I11"}


def test_a_key_that_nobody_answers_for_is_i17(shop, clock):
    keys.revoke(prefix=shop.key, at=clock.now, actor="test")
    AuditEntry.objects.filter(verb="revoke_key").delete()
    assert breached() == {"I17"}


class TestI18:
    def test_a_key_that_is_kept_as_it_is(self, shop):
        ApiKey.objects.update(secret_hash=shop.key[:64])
        assert breached() == {"I18"}

    def test_a_key_that_was_used_after_its_revocation(self, shop, clock):
        keys.revoke(prefix=shop.key, at=clock.now, actor="test")
        key = ApiKey.objects.get()
        clock.move(seconds=1)
        decisions.key_was_used(key.pk)
        decisions.flush()
        assert breached() == set()
        clock.move(seconds=1)
        decisions.key_was_used(key.pk)
        decisions.flush()
        assert breached() == {"I18"}

    def test_a_redemption_held_by_a_shop_without_a_key(self, shop, used, clock):
        keys.revoke(prefix=shop.key, at=clock.now, actor="test")
        assert breached() == set()
        change(held_at=clock.now + timedelta(seconds=2), expires_at=clock.now + timedelta(hours=1))
        assert breached() == {"I18"}
