"""Holding perks through the door: what a hold takes, what it refuses, and what is judged when it is made."""

import pytest

from membership import card_token, cards, households, lifecycle
from perks import keys
from perks.models import Grant, Redemption
from tests import factories
from tests.perks.conftest import basket, number
from tests.perks.redeeming import asked, left, refused, wrong


class TestAHold:
    def test_of_an_unlimited_perk_is_committed_with_its_worth(self, shop, joined):
        check = shop.check(member=number(joined()), basket=basket(), perks=["free-shipping"])
        held = shop.hold(check, "free-shipping")
        assert (held["status"], held["perks"][0]["worth"], held["order"]) == ("held", 495, "1001")
        committed = shop.commit(held)
        assert (committed["status"], committed["perks"][0]["status"]) == ("committed", "committed")
        assert shop.read(held) == committed

    def test_of_a_limited_perk_takes_a_use_that_the_next_check_knows(self, shop, joined):
        membership = joined()
        held = shop.hold(shop.check(**asked(membership)), "concierge")
        assert left(shop, membership) == 11
        shop.commit(held)
        assert left(shop, membership) == 11

    def test_is_the_whole_answer_that_the_documentation_shows(self, shop, joined, clock):
        membership = joined()
        lines = [{"id": "1", "sku": "SOCK-1", "quantity": 2, "unit_amount": 900}]
        check = shop.check(member=number(membership), basket=basket(lines=lines), perks=["free-shipping"])
        held = shop.hold(check, "free-shipping", hold_seconds=600)
        assert held == {
            "id": held["id"],
            "status": "held",
            "order": "1001",
            "check": check["id"],
            "member": membership.member.number,
            "held_at": "2026-03-02T10:00:00Z",
            "expires_at": "2026-03-02T10:10:00Z",
            "committed_at": None,
            "closed_at": None,
            "perks": [
                {
                    "perk": "free-shipping",
                    "kind": "free_shipping",
                    "status": "held",
                    "effect": {"target": "shipping", "amount_off": 495},
                    "currency": "EUR",
                    "worth": 495,
                }
            ],
            "lines": [{"id": "1", "quantity": 2, "returned": 0}],
        }

    def test_takes_all_of_its_perks_or_none(self, shop, two_uses):
        first, second = (shop.check(member=number(two_uses), basket=basket()) for _ in range(2))
        for _ in range(2):
            shop.hold(shop.check(**asked(two_uses)), "concierge")
        for check in (first, second):
            assert refused(shop.ask_to_hold(check, "free-shipping", "concierge")) == (409, "used_up")
        assert Redemption.objects.count() == 2

    def test_by_a_household_seat_draws_on_the_payers_allowance(self, shop, two_uses, clock):
        holder = factories.member()
        households.open_seat(membership=two_uses, holder=holder, at=clock.now, actor="staff:1")
        check = shop.check(member={"number": holder.number}, perks=["concierge"])
        assert shop.hold(check, "concierge")["member"] == holder.number
        assert left(shop, two_uses) == 1

    def test_by_a_household_seat_draws_on_its_own_where_everybody_has_one(self, shop, two_uses, clock):
        grant = Grant.objects.get(membership=two_uses, perk__code="concierge", term__isnull=False)
        grant.settings = {**grant.settings, "seats": "each"}
        grant.save()
        holder = factories.member()
        households.open_seat(membership=two_uses, holder=holder, at=clock.now, actor="staff:1")
        check = shop.check(member={"number": holder.number}, perks=["concierge"])
        shop.hold(check, "concierge")
        assert left(shop, two_uses) == 2
        assert shop.check(member={"number": holder.number}, perks=["concierge"])["decisions"][0]["uses_left"] == 1
        assert wrong() == set()


class TestWhatAHoldRefuses:
    def test_a_check_it_does_not_know_or_of_another_shop(self, shop, two_uses, clock):
        check = shop.check(**asked(two_uses))
        assert refused(shop.ask_to_hold({"id": "chk_nothing"}, "concierge")) == (404, "unknown_check")
        shop.key = keys.create(shop_name="Another", scopes=["perks:redeem"], at=clock.now, actor="test")
        assert refused(shop.ask_to_hold(check, "concierge")) == (404, "unknown_check")

    def test_a_perk_that_the_check_did_not_grant(self, shop, two_uses):
        check = shop.check(member=number(two_uses), perks=["concierge", "free-shipping"])
        assert refused(shop.ask_to_hold(check, "early-access")) == (422, "not_in_check")
        assert refused(shop.ask_to_hold(check, "concierge", "free-shipping")) == (409, "not_granted")

    def test_a_check_past_its_valid_until(self, shop, two_uses, clock):
        check = shop.check(**asked(two_uses))
        clock.move(hours=24, seconds=-1)
        assert shop.ask_to_hold(check, "concierge").status_code == 200
        check = shop.check(**asked(two_uses))
        clock.move_to(clock.now.fromisoformat(check["valid_until"]))
        assert refused(shop.ask_to_hold(check, "concierge")) == (409, "check_expired")

    def test_what_was_only_asked_as_what_would_be(self, shop, two_uses, clock):
        joined_now = shop.check(if_joined="gold-year", perks=["concierge"])
        another_day = shop.call("POST", "/perk-checks", asked(two_uses), X_Member_Clock="2026-06-01T12:00:00Z").json()
        for check in (joined_now, another_day):
            assert refused(shop.ask_to_hold(check, "concierge")) == (409, "not_redeemable")

    def test_a_second_order_on_one_check_but_not_a_second_try(self, shop, two_uses):
        check = shop.check(**asked(two_uses))
        held = shop.hold(check, "concierge")
        assert refused(shop.ask_to_hold(check, "concierge", order="1002")) == (409, "check_used")
        shop.release(held)
        assert shop.ask_to_hold(check, "concierge").status_code == 200

    def test_a_use_that_somebody_else_took(self, shop, two_uses):
        checks = [shop.check(**asked(two_uses)) for _ in range(3)]
        answers = [shop.ask_to_hold(check, "concierge") for check in checks]
        assert [a.status_code for a in answers] == [200, 200, 409]
        assert refused(answers[2]) == (409, "used_up")

    @pytest.mark.parametrize(("seconds", "status"), [(600.0, 200), (600.5, 422), ("600", 422), (True, 422)])
    def test_seconds_that_are_no_whole_number(self, shop, two_uses, seconds, status):
        check = shop.check(**asked(two_uses))
        assert shop.ask_to_hold(check, "concierge", hold_seconds=seconds).status_code == status

    @pytest.mark.parametrize(
        ("missing", "field"), [("key", "Idempotency-Key"), ("perks", "perks"), ("seconds", "hold_seconds")]
    )
    def test_requests_it_cannot_understand_naming_the_field(self, shop, missing, field):
        body = {"check": "chk_x", "order": "1", "perks": [] if missing == "perks" else ["concierge"]}
        body |= {"hold_seconds": 1} if missing == "seconds" else {}
        headers = {} if missing == "key" else {"Idempotency_Key": "k"}
        response = shop.call("POST", "/redemptions", body, **headers)
        assert refused(response) == (422, "invalid_request")
        assert [e["field"] for e in response.json()["errors"]] == [field]


class TestWhatIsJudgedAtTheHold:
    @pytest.mark.parametrize(
        ("stopped", "reason"), [("suspended", "membership_suspended"), ("refunded", "membership_ended")]
    )
    def test_is_whether_the_membership_stands(self, shop, two_uses, clock, stopped, reason):
        check = shop.check(**asked(two_uses))
        self.stop(two_uses, stopped, clock)
        assert refused(shop.ask_to_hold(check, "concierge")) == (409, reason)

    def test_is_whether_the_card_is_good(self, shop, two_uses, clock):
        card = cards.issue(member=two_uses.member, at=clock.now, actor="system")
        check = shop.check(member={"card": card_token.issue(card.pk)}, perks=["concierge"])
        by_number = shop.check(**asked(two_uses))
        clock.move(seconds=1)
        cards.reissue(member=two_uses.member, reason=cards.RevokeReason.LOST, at=clock.now, actor="staff:1")
        assert refused(shop.ask_to_hold(check, "concierge")) == (409, "card_blocked")
        assert shop.ask_to_hold(by_number, "concierge").status_code == 200

    @pytest.mark.parametrize("stopped", ["suspended", "refunded", "card"])
    def test_is_not_judged_again_at_the_commit(self, shop, two_uses, clock, stopped):
        card = cards.issue(member=two_uses.member, at=clock.now, actor="system")
        held = shop.hold(shop.check(member={"card": card_token.issue(card.pk)}, perks=["concierge"]), "concierge")
        clock.move(minutes=10)
        self.stop(two_uses, stopped, clock)
        committed = shop.commit(held)
        assert (committed["status"], committed["held_at"]) == ("committed", "2026-03-02T10:00:00Z")
        assert wrong() == set()

    def test_is_not_what_the_catalogue_says_by_then(self, shop, joined, clock):
        check = shop.check(member=number(joined()), basket=basket(), perks=["standing-discount"])
        Grant.objects.filter(perk__code="standing-discount").update(starts_at=clock.now)
        Grant.objects.first().perk.tier_perks.all().delete()
        assert shop.hold(check, "standing-discount")["perks"][0]["effect"]["amount_off"] == 645

    def test_is_not_a_change_of_tier_since_the_check(self, shop, joined, clock):
        membership = joined("silver-year")
        check = shop.check(member=number(membership), basket=basket(), perks=["free-shipping"])
        clock.move(hours=1)
        gold = factories.plan("gold-year")
        lifecycle.change_tier(membership=membership, to_plan=gold, source_ref="c1", at=clock.now, actor="stripe")
        assert shop.hold(check, "free-shipping")["status"] == "held"
        assert wrong() == set()

    @staticmethod
    def stop(membership, how, clock):
        at, by = clock.now, "staff:1"
        match how:
            case "suspended":
                lifecycle.suspend(membership=membership, source="dispute", source_ref="dp_1", at=at, actor=by)
            case "refunded":
                lifecycle.end(membership=membership, reason="refunded", at=at, actor=by)
            case "card":
                cards.revoke(card=membership.member.cards.get(), reason=cards.RevokeReason.LOST, at=at, actor=by)


class TestTheHourBeforeARenewalIsPaid:
    def test_uses_the_next_terms_grants_which_become_its_own(self, shop, joined, clock):
        membership = joined()
        clock.move_to(membership.terms.get().ends_at)
        clock.move(minutes=30)
        held = shop.hold(shop.check(member=number(membership), basket=basket()), "free-shipping")
        grant = Redemption.objects.get().grant
        assert grant.term is None
        clock.move(minutes=20)
        lifecycle.add_term(
            membership=membership, source="paid", source_ref="next", plan=membership.plan, at=clock.now, actor="stripe"
        )
        grant.refresh_from_db()
        assert grant.term == membership.terms.last()
        assert shop.commit(held)["status"] == "committed"
        assert wrong() == set()


def test_redemptions_of_another_shop_do_not_exist(shop, two_uses, clock):
    held = shop.hold(shop.check(**asked(two_uses)), "concierge")
    shop.key = keys.create(shop_name="Another", scopes=["perks:redeem"], at=clock.now, actor="test")
    for method, verb in (("GET", ""), ("POST", "/commit"), ("POST", "/release")):
        assert refused(shop.call(method, f"/redemptions/{held['id']}{verb}")) == (404, "unknown_redemption")
    assert refused(shop.ask_to_return(held)) == (404, "unknown_redemption")
