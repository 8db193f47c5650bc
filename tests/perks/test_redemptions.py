"""Redemptions through the door: held, committed, released, returned, expired, and known to the very next check."""

import pytest
from django.core.management import call_command

from membership import card_token, cards, households, lifecycle
from membership.signals import membership_changed
from perks import keys
from perks.models import Grant, Redemption
from tests import factories
from tests.invariants import breached
from tests.perks.conftest import basket, number


def refused(response) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


def wrong() -> set[str]:
    """What check_invariants says of the perks: the paid terms of these tests have no invoices."""
    return breached() & {"I4", "I5", "I6"}


@pytest.fixture
def two_uses(laurel, joined, clock):
    """A gold member whose concierge may be asked twice in the term."""
    membership = joined()
    grant = Grant.objects.get(membership=membership, perk__code="concierge", term__isnull=False)
    grant.settings = {**grant.settings, "allowance": {"uses": 2, "every": "term", "carry_over": False}}
    grant.save()
    membership_changed.send(sender=type(membership), membership=membership, at=clock.now)
    return membership


def asked(membership):
    return {"member": number(membership), "perks": ["concierge"]}


def left(shop, membership):
    return shop.check(**asked(membership))["decisions"][0]["uses_left"]


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


class TestExpiry:
    def test_frees_the_use_by_the_clock_alone(self, shop, two_uses, clock):
        first, _ = (shop.hold(shop.check(**asked(two_uses)), "concierge", hold_seconds=s) for s in (600, 1200))
        (told,) = (check := shop.check(**asked(two_uses)))["decisions"]
        assert (told["reason"], told["uses_left"], check["valid_until"]) == ("used_up", 0, "2026-03-02T10:10:00Z")
        clock.move(minutes=10)
        assert left(shop, two_uses) == 1
        assert shop.read(first)["status"] == "expired"
        shop.hold(shop.check(**asked(two_uses)), "concierge")
        assert Redemption.objects.get(ident=first["id"]).closed_at == clock.now
        assert wrong() == set()

    def test_refuses_a_commit_whether_or_not_the_sweep_ran(self, shop, two_uses, clock):
        held = [shop.hold(shop.check(**asked(two_uses)), "concierge") for _ in range(2)]
        clock.move(minutes=30)
        commit = "/redemptions/{}/commit".format
        assert refused(shop.call("POST", commit(held[0]["id"]))) == (409, "hold_expired")
        call_command("tick")
        assert refused(shop.call("POST", commit(held[1]["id"]))) == (409, "hold_expired")

    def test_is_tidied_by_the_sweep_and_nothing_changes(self, shop, two_uses, clock):
        held = shop.hold(shop.check(**asked(two_uses)), "concierge")
        clock.move(minutes=31)
        before = shop.read(held)
        call_command("tick")
        assert Redemption.objects.get().status == "expired"
        assert shop.read(held) == before
        assert wrong() == set()


class TestRelease:
    def test_frees_the_use_at_once(self, shop, two_uses):
        held = shop.hold(shop.check(**asked(two_uses)), "concierge")
        assert (shop.release(held)["status"], left(shop, two_uses)) == ("released", 2)

    def test_can_be_repeated_and_follow_an_expiry(self, shop, two_uses, clock):
        held, late = (shop.hold(shop.check(**asked(two_uses)), "concierge") for _ in range(2))
        assert shop.release(held) == shop.release(held)
        clock.move(hours=1)
        assert shop.release(late)["status"] == "expired"

    def test_and_commit_exclude_each_other(self, shop, two_uses):
        released, committed = (shop.hold(shop.check(**asked(two_uses)), "concierge") for _ in range(2))
        shop.release(released)
        shop.commit(committed)
        assert refused(shop.call("POST", f"/redemptions/{released['id']}/commit")) == (409, "hold_released")
        assert refused(shop.call("POST", f"/redemptions/{committed['id']}/release")) == (409, "already_committed")


class TestReturn:
    LINES = [
        {"id": "a", "sku": "A", "quantity": 3, "unit_amount": 3333},
        {"id": "b", "sku": "B", "quantity": 1, "unit_amount": 101},
    ]

    @pytest.fixture
    def ordered(self, shop, joined):
        """Free delivery (495) and 5 % (500 of line a, 5 of line b) on four pieces, paid."""
        check = shop.check(member=number(joined()), basket=basket(lines=self.LINES))
        return shop.commit(shop.hold(check, "standing-discount", "free-shipping"))

    def worths(self, told):
        return [use["worth"] for use in told["perks"]]

    def test_by_line_takes_back_the_proportion_and_in_sum_the_whole(self, shop, ordered):
        assert self.worths(ordered) == [505, 495]
        assert self.worths(shop.give_back(ordered, a=1)) == [338, 332]
        assert self.worths(shop.give_back(ordered, a=1)) == [172, 168]
        told = shop.give_back(ordered, a=1)
        assert (told["status"], self.worths(told)) == ("committed", [5, 5])
        told = shop.give_back(ordered, b=1)
        assert (told["status"], self.worths(told)) == ("returned", [0, 0])
        assert told["lines"] == [{"id": "a", "quantity": 3, "returned": 3}, {"id": "b", "quantity": 1, "returned": 1}]

    def test_of_the_whole_takes_back_what_is_left(self, shop, ordered):
        shop.give_back(ordered, a=2, b=1)
        told = shop.give_back(ordered)
        assert (told["status"], self.worths(told)) == ("returned", [0, 0])

    def test_refuses_more_than_was_ordered_and_lines_it_does_not_know(self, shop, ordered):
        shop.give_back(ordered, a=2)
        assert refused(shop.ask_to_return(ordered, a=2)) == (409, "returned_too_much")
        assert refused(shop.ask_to_return(ordered, c=1)) == (422, "unknown_line")
        assert self.worths(shop.read(ordered)) == [172, 168]

    def test_refuses_a_line_named_twice(self, shop, ordered):
        lines = [{"id": "a", "quantity": 1}, {"id": "a", "quantity": 1}]
        path = f"/redemptions/{ordered['id']}/return"
        assert refused(shop.call("POST", path, {"lines": lines}, Idempotency_Key="k")) == (422, "invalid_request")

    def test_repeated_under_the_same_key_counts_once(self, shop, ordered):
        first, again = (shop.ask_to_return(ordered, key="the-same", a=1) for _ in range(2))
        assert first.content == again.content
        assert self.worths(shop.read(ordered)) == [338, 332]

    def test_gives_the_use_of_a_limited_perk_back_once_all_of_it_came_back(self, shop, two_uses):
        check = shop.check(member=number(two_uses), basket=basket(lines=self.LINES), perks=["concierge"])
        used = shop.commit(shop.hold(check, "concierge"))
        shop.give_back(used, a=3)
        assert left(shop, two_uses) == 1
        shop.give_back(used, b=1)
        assert left(shop, two_uses) == 2

    def test_of_what_is_not_committed_is_refused(self, shop, two_uses):
        held = shop.hold(shop.check(**asked(two_uses)), "concierge")
        assert refused(shop.ask_to_return(held)) == (409, "not_committed")
        shop.release(held)
        assert refused(shop.ask_to_return(held)) == (409, "not_committed")


class TestIdempotency:
    def test_gives_the_same_answer_for_thirty_days_whatever_became_of_it(self, shop, two_uses, clock):
        check = shop.check(**asked(two_uses))
        first = shop.ask_to_hold(check, "concierge", key="order-1")
        shop.commit(first.json())
        clock.move(days=30, seconds=-1)
        assert shop.ask_to_hold(check, "concierge", key="order-1").content == first.content
        clock.move(seconds=1)
        assert refused(shop.ask_to_hold(check, "concierge", key="order-1")) == (409, "check_expired")

    def test_refuses_another_request_under_the_same_key(self, shop, two_uses):
        check = shop.check(**asked(two_uses))
        held = shop.hold(check, "concierge", key="order-1")
        shop.commit(held)
        assert refused(shop.ask_to_hold(check, "concierge", key="order-1", order="2")) == (422, "idempotency_mismatch")
        assert refused(shop.ask_to_return(held, key="order-1")) == (422, "idempotency_mismatch")

    def test_is_each_shops_own(self, shop, two_uses, clock):
        shop.hold(shop.check(**asked(two_uses)), "concierge", key="order-1")
        shop.key = keys.create(shop_name="Another", scopes=list(keys.SCOPES), at=clock.now, actor="test")
        shop.hold(shop.check(**asked(two_uses)), "concierge", key="order-1")
        assert Redemption.objects.count() == 2

    def test_keeps_no_refusal(self, shop, two_uses):
        check = shop.check(**asked(two_uses))
        others = [shop.hold(shop.check(**asked(two_uses)), "concierge") for _ in range(2)]
        assert refused(shop.ask_to_hold(check, "concierge", key="order-1")) == (409, "used_up")
        shop.release(others[0])
        assert shop.ask_to_hold(check, "concierge", key="order-1").status_code == 200

    def test_is_swept_after_thirty_days(self, shop, two_uses, clock):
        shop.hold(shop.check(**asked(two_uses)), "concierge", key="order-1")
        clock.move(days=30)
        call_command("tick")
        assert Redemption.objects.get().shop.kept_answers.count() == 0


def test_redemptions_of_another_shop_do_not_exist(shop, two_uses, clock):
    held = shop.hold(shop.check(**asked(two_uses)), "concierge")
    shop.key = keys.create(shop_name="Another", scopes=["perks:redeem"], at=clock.now, actor="test")
    for method, verb in (("GET", ""), ("POST", "/commit"), ("POST", "/release")):
        assert refused(shop.call(method, f"/redemptions/{held['id']}{verb}")) == (404, "unknown_redemption")
    assert refused(shop.ask_to_return(held)) == (404, "unknown_redemption")
