"""The client at the API itself: answers as models, refusals as exceptions, and repetition that uses nothing twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from perks import client as shops
from perks.models import Redemption


@pytest.fixture
def ada(joined):
    return joined("gold-year")


def named(membership):
    return shops.MemberIn(number=membership.member.number)


class TestAnswers:
    def test_of_a_check_are_typed(self, till, ada, basket, clock):
        answer = till.check_perks(member=named(ada), basket=basket)
        assert answer.totals == shops.models.TotalsOut(
            lines=12900, shipping=495, discount=645, shipping_discount=495, other_discounts=0, payable=12255
        )
        decisions = {decision.perk: decision for decision in answer.decisions}
        assert decisions["free-shipping"].effect == shops.models.EffectOut(target="shipping", amount_off=495)
        assert answer.decided_at == clock.now
        assert answer.valid_until <= clock.now + timedelta(days=1)

    def test_of_every_reading_call_can_be_read(self, till, ada, basket):
        member = till.get_member(ada.member.number)
        assert (member.tier, member.standing) == ("gold", "current")
        assert {perk.perk for perk in member.perks if perk.fail_mode == "allow"} == {"free-shipping"}
        assert till.list_perks()[0].fail_modes.keys() == till.list_perks()[0].tiers.keys()
        sale = till.list_sales(member=ada.member.number)[0]
        assert till.get_sale(sale.sale, member=ada.member.number) == sale
        assert till.verify_card(token="x") == shops.models.CardOut(valid=False, reason="not_valid")
        check = till.check_perks(member=named(ada), basket=basket)
        assert till.replay_check(check.id).answer == check
        assert till.tie_customer(ada.member.number, customer_ref="C 1/ü").customer_ref == "C 1/ü"
        assert till.check_perks(member=shops.MemberIn(customer_ref="C 1/ü")).member == check.member
        asked = till.ask_for_confirmation(email="nobody@example.org")
        assert till.confirm_email(asked.id, code="000000").confirmed is False

    def test_come_in_the_language_asked_for(self, till, ada, basket):
        said = [c.check_perks(member=named(ada), basket=basket).decisions for c in (till, till.speaking("de"))]
        assert {d.message for d in said[0]} != {d.message for d in said[1]}

    def test_as_of_another_moment(self, till, ada, basket, clock):
        later = clock.now + timedelta(days=800)
        answer = till.check_perks(member=named(ada), basket=basket, member_clock=later)
        assert {decision.reason for decision in answer.decisions} == {"membership_lapsed"}

    def test_of_an_order_from_hold_to_return(self, till, ada, basket):
        check = till.check_perks(member=named(ada), basket=basket)
        held = till.hold_perks(check=check.id, order="1001", perks=["free-shipping", "standing-discount"])
        assert held.status == "held"
        assert till.commit_redemption(held.id).status == "committed"
        back = till.return_redemption(held.id, lines=[shops.LineBack(id="1", quantity=1)])
        assert (back.status, back.lines[0].returned) == ("returned", 1)
        assert till.get_redemption(held.id) == back
        other = till.check_perks(member=named(ada), basket=basket)
        held = till.hold_perks(check=other.id, order="1002", perks=["free-shipping"])
        assert till.release_redemption(held.id).status == "released"


class TestRefusals:
    def test_name_the_code_and_the_fields(self, till, ada, basket):
        wrong = shops.Basket(currency="EUR", lines=[shops.Line(id="1", sku="A", quantity=0, unit_amount=1)])
        with pytest.raises(shops.BadRequest) as caught:
            till.check_perks(member=named(ada), basket=wrong)
        error = caught.value
        assert (error.status, error.code, error.operation) == (422, "invalid_request", "check_perks")
        assert [field.field for field in error.errors] == ["basket.lines.0.quantity"]
        assert len(error.request_id) == 32

    def test_are_of_the_kind_that_the_status_is(self, till, ada, basket, inside):
        with pytest.raises(shops.NotFound, match="unknown_member"):
            till.get_member("1")
        with pytest.raises(shops.NotFound, match="unknown_redemption"):
            till.commit_redemption("red_x")
        check = till.check_perks(member=named(ada), basket=basket)
        till.hold_perks(check=check.id, order="1", perks=["free-shipping"])
        with pytest.raises(shops.Conflict, match="check_used"):
            till.hold_perks(check=check.id, order="2", perks=["free-shipping"])
        with pytest.raises(shops.NotFound):
            till.get_redemption("../perks?x=%2F")
        stranger = shops.Client("http://testserver", "vip_test_x", transport=inside)
        with pytest.raises(shops.BadKey, match="invalid_key"):
            stranger.list_perks()

    def test_are_no_outage_to_decide(self, till, basket):
        with pytest.raises(shops.BadRequest):
            till.decide(basket=basket)


def test_a_failure_of_the_api_is_found_in_its_log_by_the_request_s_id(till, inside, ada, basket, monkeypatch, caplog):
    def broken(**_):
        raise RuntimeError("never told outside")

    monkeypatch.setattr("perks.checks.answer", broken)
    with pytest.raises(shops.NoAnswer) as caught:
        till.check_perks(member=named(ada), basket=basket)
    assert (caught.value.status, caught.value.tries) == (500, 1)
    assert f"X-Request-Id: {caught.value.request_id}" in caplog.text


class TestAnAnswerLostAfterTheDeed:
    """The API did it; the answer got lost on the way. The next try is told the same, and nothing is used twice."""

    def test_of_a_hold(self, till, inside, two_uses, told):
        who = named(two_uses)
        check = till.check_perks(member=who, perks=["concierge"])
        inside.lost = 2
        held = till.hold_perks(check=check.id, order="1001", perks=["concierge"])
        tries = [sent for sent in inside.carried if sent.target == "/api/v1/redemptions"]
        assert len(tries) == 3
        assert len({sent.headers["Idempotency-Key"] for sent in tries}) == 1
        assert [exchange.attempt for exchange in told][-3:] == [1, 2, 3]
        assert Redemption.objects.count() == 1
        assert held.status == "held"
        assert till.check_perks(member=who, perks=["concierge"]).decisions[0].uses_left == 1

    def test_of_a_hold_under_another_key_would_use_a_second_one_or_be_refused(self, till, inside, two_uses):
        """The twin: what the key is for."""
        check = till.check_perks(member=named(two_uses), perks=["concierge"])
        till.hold_perks(check=check.id, order="1001", perks=["concierge"], idempotency_key="a")
        with pytest.raises(shops.Conflict, match="check_used"):
            till.hold_perks(check=check.id, order="1001", perks=["concierge"], idempotency_key="b")

    def test_of_a_commit_and_a_return(self, till, inside, ada, basket):
        check = till.check_perks(member=named(ada), basket=basket)
        held = till.hold_perks(check=check.id, order="1", perks=["standing-discount"])
        inside.lost = 1
        assert till.commit_redemption(held.id).status == "committed"
        inside.lost = 1
        assert till.return_redemption(held.id).status == "returned"
        assert Redemption.objects.get().returned_worth == 645

    def test_of_a_try_at_a_code_is_not_repeated(self, till, inside, ada):
        """It would cost the shopper one of five guesses."""
        asked = till.ask_for_confirmation(email=ada.member.user.email)
        inside.lost = 1
        with pytest.raises(shops.NoAnswer):
            till.confirm_email(asked.id, code="000000")
        assert till.confirm_email(asked.id, code="000000").guesses_left == 3
