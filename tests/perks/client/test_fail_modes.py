"""What the client says while the API is away: what was told before, or no."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from membership import lifecycle
from perks import client as shops
from perks import fresh
from perks.models import Perk, TierPerk
from tests.perks.client.conftest import answer


@pytest.fixture
def ada(joined):
    return joined("gold-year")


@pytest.fixture
def fail_open(laurel):
    """Free delivery is given by every tier if the API is away, alterations by gold only: silver has it, and denies."""
    perk = Perk.objects.get(code="free-shipping")
    perk.settings = {**perk.settings, "fail_mode": "allow"}
    perk.save()
    gold = TierPerk.objects.get(perk__code="alterations", tier__code="gold")
    gold.settings = {**gold.settings, "fail_mode": "allow"}
    gold.save()
    TierPerk.objects.create(perk=gold.perk, tier=TierPerk.objects.filter(tier__code="silver").first().tier, settings={})
    fresh.forget_all()


def named(membership):
    return shops.MemberIn(number=membership.member.number)


PERKS = ["free-shipping", "standing-discount", "alterations"]


def allowed(decided):
    return {perk for perk in PERKS if decided.allows(perk)}


class TestWhileItAnswers:
    def test_the_answer_counts_and_the_fail_modes_are_learned_beside(self, till, ada, basket, told):
        decided = till.decide(member=named(ada), basket=basket)
        assert (decided.source, decided.trouble, decided.assumed) == ("answer", None, ())
        assert decided.allows("standing-discount")
        assert not decided.allows("no-such-perk")
        till.decide(member=named(ada), basket=basket)
        assert [exchange.operation for exchange in told] == ["check_perks", "list_perks", "check_perks"]

    def test_a_catalogue_that_does_not_come_spoils_no_answer_and_the_next_does_not_wait(
        self, server, asks, basket, told
    ):
        body = (
            '{"id": "chk_x", "decided_at": "2026-03-02T10:00:00Z", "valid_until": "2026-03-02T10:00:00Z",'
            ' "stale": false, "member": null, "decisions": [], "totals": null, "join_offer": null}'
        )
        server.says(answer(200, body), 30.0, answer(200, body))
        for _ in range(2):
            assert asks.decide(if_joined="gold-year", basket=basket, seconds=3).source == "answer"
        assert [exchange.operation for exchange in told] == ["check_perks", "list_perks", "check_perks"]


class TestTheSameQuestionWhileItsAnswerHolds:
    def test_gets_the_last_answer(self, till, inside, ada, basket, clock):
        before = till.decide(member=named(ada), basket=basket)
        inside.away = True
        clock.move(hours=1)
        decided = till.decide(member=named(ada), basket=basket)
        assert (decided.source, decided.answer) == ("last_answer", before.answer)
        assert isinstance(decided.trouble, shops.NoAnswer)

    def test_and_no_longer(self, till, inside, ada, basket, clock):
        before = till.decide(member=named(ada), basket=basket)
        inside.away = True
        clock.move_to(before.answer.valid_until)
        assert till.decide(member=named(ada), basket=basket).source == "fail_modes"

    def test_but_another_basket_does_not(self, till, inside, ada, basket):
        till.decide(member=named(ada), basket=basket)
        inside.away = True
        assert till.decide(member=named(ada)).source == "fail_modes"

    def test_nor_does_one_before_the_last(self, till, inside, ada, basket, clock):
        """What was said since may be a no."""
        till.decide(member=named(ada), basket=basket)
        lifecycle.suspend(membership=ada, source="fraud", source_ref="x", at=clock.now, actor="staff:1")
        till.decide(member=named(ada))
        inside.away = True
        decided = till.decide(member=named(ada), basket=basket)
        assert (decided.source, allowed(decided)) == ("fail_modes", set())

    def test_nor_does_the_next_order(self, till, inside, ada, basket):
        check = till.decide(member=named(ada), basket=basket).answer
        till.hold_perks(check=check.id, order="1", perks=["free-shipping"])
        inside.away = True
        assert till.decide(member=named(ada), basket=basket).source == "fail_modes"


@pytest.mark.usefixtures("fail_open")
class TestFailModes:
    def ask(self, till, inside, member):
        """While the API is away, about something that was not asked before."""
        inside.away = True
        return till.decide(member=member, perks=PERKS)

    def test_are_told_by_the_catalogue_and_by_what_a_member_holds(self, till, joined):
        modes = {perk.perk: perk.fail_modes for perk in till.list_perks()}
        assert modes["free-shipping"] == dict.fromkeys(("bronze", "silver", "gold"), "allow")
        assert modes["alterations"] == {"silver": "deny", "gold": "allow"}
        held = till.get_member(joined("gold-year").member.number).perks
        assert {perk.perk for perk in held if perk.fail_mode == "allow"} == {"free-shipping", "alterations"}

    def test_count_as_the_member_s_tier_has_them(self, till, inside, ada, joined, basket):
        bram = joined("silver-year")
        for one in (ada, bram):
            till.decide(member=named(one), basket=basket)
        assert allowed(self.ask(till, inside, named(ada))) == {"free-shipping", "alterations"}
        assert allowed(self.ask(till, inside, named(bram))) == {"free-shipping"}

    def test_say_in_words_what_the_tier_gets_and_invent_no_sum(self, till, inside, ada, basket):
        till.decide(member=named(ada), basket=basket)
        decided = self.ask(till, inside, named(ada))
        assert decided.answer is None
        assert decided.assumed[0] == shops.Assumed(
            "free-shipping",
            True,
            "free_shipping",
            "Free delivery",
            "Free delivery on every order, express too, to 31 countries",
        )

    def test_give_a_stranger_what_every_tier_would_be_given(self, till, inside, joined):
        assert till.refresh_fail_modes()
        assert allowed(self.ask(till, inside, shops.MemberIn(card="vip1.x"))) == {"free-shipping"}

    def test_give_a_guest_nothing(self, till, inside, basket):
        till.refresh_fail_modes()
        inside.away = True
        assert allowed(till.decide(if_joined="gold-year", basket=basket)) == set()

    def test_give_nothing_where_nothing_was_ever_told(self, till, inside, ada):
        decided = self.ask(till, inside, named(ada))
        assert [one.perk for one in decided.assumed] == PERKS
        assert allowed(decided) == set()
        assert till.decide(member=named(ada)).assumed == ()

    def test_do_not_turn_a_no_into_a_yes(self, till, inside, ada, basket, clock):
        lifecycle.suspend(membership=ada, source="fraud", source_ref="x", at=clock.now, actor="staff:1")
        till.decide(member=named(ada), basket=basket)
        till.decide(member=shops.MemberIn(number="1"), basket=basket)
        assert allowed(self.ask(till, inside, named(ada))) == set()
        assert allowed(self.ask(till, inside, shops.MemberIn(number="1"))) == set()

    def test_but_a_no_for_a_basket_s_sake_says_nothing_of_the_next_one(self, till, inside, ada):
        answer = till.decide(member=named(ada), perks=["free-shipping"]).answer
        assert answer.decisions[0].reason == "nothing_eligible"
        assert "free-shipping" in allowed(self.ask(till, inside, named(ada)))

    def test_nor_does_what_was_said_a_day_ago(self, till, inside, ada, basket, clock):
        till.decide(member=named(ada), basket=basket)
        clock.move(days=1)
        assert allowed(self.ask(till, inside, named(ada))) == {"free-shipping"}

    def test_of_what_is_used_up_count_again_when_it_begins_anew(self, till, inside, joined, clock):
        offered = TierPerk.objects.get(perk__code="alterations", tier__code="gold")
        offered.settings = {**offered.settings, "allowance": {"uses": 1, "every": "month"}}
        offered.save()
        clock.move_to(datetime(2026, 3, 31, 18, tzinfo=UTC))
        who = named(joined("gold-year"))
        check = till.check_perks(member=who, perks=["alterations"])
        till.commit_redemption(till.hold_perks(check=check.id, order="1", perks=["alterations"]).id)
        decision = till.decide(member=who, perks=["alterations"]).answer.decisions[0]
        assert decision.reason == "used_up"
        assert "alterations" not in allowed(self.ask(till, inside, who))
        clock.move_to(decision.resets_at)
        assert "alterations" in allowed(self.ask(till, inside, who))


def test_a_server_that_is_too_busy_is_no_answer(server, asks, basket):
    server.says(answer(429, "<p>", Retry_After="30"))
    decided = asks.decide(if_joined="gold-year", basket=basket)
    assert isinstance(decided.trouble, shops.TooMany)
    assert decided.source == "fail_modes"
