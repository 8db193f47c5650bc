"""The rehearsal: a small one through the real doors, that it can fail, and that the same seed makes the same lives."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing import figures
from billing.emulator import delivery
from billing.management.commands.rehearse import WHOLE, Command
from billing.models import Payment
from billing.rehearsal import books, picture, play, stories, tally, till, verdict
from membership import roll, time_travel
from membership.models import Membership
from membership.standing import Standing
from perks.models import Perk
from tests.emulator import people

CAST = ("mends it by paying", "upgrades, takes it back")


@pytest.fixture
def live(on_sale, clock, settings, monkeypatch, tmp_path):
    """Let people of these stories live in this test's world."""
    settings.VIP_DATA = tmp_path
    monkeypatch.setattr(delivery, "deliver", partial(delivery.deliver, post=people.post_to(Client())))

    def work(*names: str, days: int) -> play.Played:
        cast = stories.cast(members=len(names), seed=1, only=names)
        return play.live(cast, start=clock.START, days=days, turn=clock.move_to)

    return work


@pytest.fixture
def needless(monkeypatch):
    """Rings also the bells that say they have nothing to do. -> what those wrote, beside that they ran."""
    wrote: list[str] = []
    answer = time_travel.Bells._answer

    def watched(bells, name, entry):
        if name not in bells.needed or bells.needed[name](time_travel.clock.now()):
            return answer(bells, name, entry)
        needed = bells.needed.pop(name)
        with CaptureQueriesContext(connection) as asked:
            answer(bells, name, entry)
        bells.needed[name] = needed
        changes = [query["sql"] for query in asked if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
        wrote.extend(f"{name}: {sql}" for sql in changes if "membership_tick" not in sql)
        return None

    monkeypatch.setattr(time_travel.Bells, "_answer", watched)
    return wrote


def test_a_small_one_is_sound_and_no_bell_is_left_out_that_had_something_to_do(live, needless):
    played = live(*CAST, days=420)

    happened = tally.count()
    assert not played.refused.total(), played
    seen = {"joined", "renewals", "failed payments", "mended", "upgrades", "refunds"}
    assert {name for name, times in happened.items() if times} == seen
    assert verdict.broken() == []
    assert verdict.unequal() == []
    assert verdict.misreported(played.till) == []
    assert needless == []
    assert played.seen[-1].money == books.total(books.stripes()).kept > 0


class TestItFails:
    def test_when_a_cent_is_missing(self, joined):
        Payment.objects.update(captured=F("captured") - 1)

        with pytest.raises(CommandError, match="I7"):
            Command()._judge(till.Till(), every_kind=False)

    def test_when_the_ledgers_differ_whatever_the_invariants_say(self, joined, monkeypatch):
        monkeypatch.setattr(verdict, "broken", list)
        Payment.objects.update(returned=1)

        with pytest.raises(CommandError, match=r"Our ledger is not Stripe's:\nch_.* here, .* at Stripe"):
            Command()._judge(till.Till(), every_kind=False)

    def test_when_a_report_is_a_cent_or_a_month_off(self, joined, monkeypatch):
        monkeypatch.setattr(verdict, "broken", list)
        monkeypatch.setattr(verdict, "unequal", list)
        Payment.objects.update(captured=F("captured") - 1)
        with pytest.raises(CommandError, match=r"Money by month, 2026-03 EUR paid: 11899 told, 11900 is so"):
            Command()._judge(till.Till(), every_kind=False)
        Payment.objects.update(captured=F("captured") + 1, paid_at=F("paid_at") - timedelta(days=40))
        with pytest.raises(CommandError, match=r"2026-01 EUR paid: 11900 told, 0 is so"):
            Command()._judge(till.Till(), every_kind=False)

    def test_when_a_report_lacks_its_oldest_month(self, joined, monkeypatch):
        monkeypatch.setattr(figures, "flows", lambda months: [])
        assert verdict.misreported(till.Till()) == [
            "Money by month, 2026-03 EUR kept: 0 told, 11900 is so",
            "Money by month, 2026-03 EUR paid: 0 told, 11900 is so",
        ]
        newer = figures.Flow("2026-04", "EUR", 0, 1, 0)  # of itself wrong, and it must not hide what is older
        monkeypatch.setattr(figures, "flows", lambda months: [newer])
        assert "Money by month, 2026-03 EUR paid: 0 told, 11900 is so" in verdict.misreported(till.Till())

    def test_when_a_report_subtracts_wrongly(self, joined, monkeypatch):
        monkeypatch.setattr(figures.Flow, "net", property(lambda flow: flow.paid + 1))
        assert verdict.misreported(till.Till()) == ["Money by month, 2026-03 EUR kept: 11901 told, 11900 is so"]

    def test_when_a_report_counts_a_member_too_many(self, joined, monkeypatch):
        monkeypatch.setattr(roll, "movements", lambda months, at: [roll.Movement(str(m), 0, 2, 0) for m in months])
        with pytest.raises(CommandError, match="Joined, left and stayed, at the end: 2 told, 1 is so"):
            Command()._judge(till.Till(), every_kind=False)

    def test_when_a_report_of_members_money_renewals_perks_or_risk_is_wrong(self, joined, monkeypatch, clock):
        """Each report in turn says one too many; the last one, of what the till booked, one too few."""
        held, at = Membership.objects.get(), clock.now
        assert verdict.misreported(till.Till()) == []
        wrong = {
            "Members by tier and standing, Gold, current: 2 told, 1 is so": (
                (roll, "by_tier_and_standing"),
                lambda at: Counter({("gold", Standing.CURRENT): 2}),
            ),
            "Money by month, 2026-03 EUR given back: 1 told, 0 is so": (
                (figures, "flows"),
                lambda months: [figures.Flow(str(months[-1]), "EUR", 11900, 1, 0)],
            ),
            "Money by month, 2026-03 EUR lost: 1 told, 0 is so": (
                (figures, "flows"),
                lambda months: [figures.Flow(str(months[-1]), "EUR", 11900, 0, 1)],
            ),
            "Joined, left and stayed, 2026-03 left: 1 told, 0 is so": (
                (roll, "movements"),
                lambda months, at: [
                    roll.Movement(str(m), 0, int(m == months[-1]), int(m == months[-1])) for m in months
                ],
            ),
            f"Renewals, {at:%Y-%m-%d} EUR awaited: 1 told, 0 is so": (
                (figures, "renewals"),
                lambda since, until: [figures.Renewals(since, until, "EUR", 1, 0, 1, 0, 0, 11900)] * (since == at),
            ),
            f"Members at risk, {held.member.number} pays: 11900 told, 0 is so": (
                (figures, "at_risk"),
                lambda at: [figures.AtRisk(held, at, 11900, 0, "EUR")],
            ),
        }
        for line, (told, lie) in wrong.items():
            with monkeypatch.context() as patch:
                patch.setattr(*told, lie)
                assert line in verdict.misreported(till.Till())
        perk = Perk.objects.create(code="free-shipping", names={"en": "Free delivery"}, kind="free_shipping")
        used = till.Use(perk.code, held.member.number, at - timedelta(days=1), 495, 495)
        booked = till.Till(book={"red_1": [used]}, counter=[till.Paid("gold-year", at)])
        found = verdict.misreported(booked)
        assert "Perks, Free delivery cost a member: 0 told, 495 is so" in found
        assert f"Paid offline, {at:%Y-%m} EUR paid: 0 told, 11900 is so" in found
        assert "Members by tier and standing, Gold, current: 1 told, 2 is so" in found

    def test_when_a_payment_is_known_on_one_side_only(self, joined, monkeypatch):
        monkeypatch.setattr(verdict, "broken", list)
        Payment.objects.all().delete()

        with pytest.raises(CommandError, match="unknown here"):
            Command()._judge(till.Till(), every_kind=False)

    def test_when_an_invariant_is_broken_in_the_end(self, joined):
        Membership.objects.update(entitled_until=F("entitled_until") + timedelta(days=1))

        with pytest.raises(CommandError, match="I4"):
            Command()._judge(till.Till(), every_kind=False)

    def test_when_an_invariant_is_broken_on_the_way_with_the_day(self, live, joined, clock):
        Membership.objects.update(entitled_until=F("entitled_until") + timedelta(days=1))

        with pytest.raises(play.Unsound, match="On 21 April 2026:\nI4"):
            live(days=80)

    def test_when_something_never_happened(self, joined):
        with pytest.raises(CommandError, match=r"never happened: rejoined, renewals"):
            Command()._judge(till.Till(), every_kind=True)

    def test_not_otherwise(self, joined):
        assert Command()._judge(till.Till(), every_kind=False)["joined"] == 1


class TestTheCast:
    def acts(self, seed: int, clock) -> list[tuple]:
        cast = stories.cast(members=40, seed=seed)
        lives = [
            stories.life(person, story, number=number, start=clock.START, days=WHOLE)
            for number, (person, story) in enumerate(cast)
        ]
        return [(act.at, act.number, act.name) for acts in lives for act in acts]

    def test_is_the_same_for_the_same_seed_and_another_for_another(self, clock):
        assert self.acts(1, clock) == self.acts(1, clock)
        assert self.acts(1, clock) != self.acts(2, clock)

    def test_lives_each_story_once_before_any_is_lived_twice(self):
        cast = stories.cast(members=len(stories.STORIES), seed=1)

        assert [story for _, story in cast] == list(stories.STORIES)
        assert len(stories.STORIES) <= 31  # so many play in CI

    def test_has_room_for_every_story(self, clock):
        assert max(act[0] for act in self.acts(1, clock)) < clock.START + timedelta(days=WHOLE)


class TestThePicture:
    def test_says_in_words_what_it_shows(self, clock):
        days = [
            books.Day(clock.START + timedelta(days=10 * n), current=n, grace=n % 3, over=n // 4, money=n * 11900)
            for n in range(81)
        ]

        drawn = ElementTree.fromstring(picture.draw(days, title="80 <members>", told="80 joined."))  # noqa: S314  # our own

        texts = ["".join(one.itertext()) for one in drawn.iter("{http://www.w3.org/2000/svg}text")]
        assert {"80 <members>", "80 joined.", "80 members", "20 left", "2 in grace", "€ 9,520", "Jan 2027"} <= set(
            texts
        )
        told = drawn.find("{http://www.w3.org/2000/svg}desc").text
        assert told == "At the end there are 80 members, 2 in grace, 20 have left; € 9,520 stayed. 80 joined."
