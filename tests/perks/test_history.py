"""What is told of perks in a member's story: each thing once, whoever repeats it and whoever is there at once."""

import re

import pytest
from django.core.management import call_command
from django.utils import translation

from membership import households
from membership.models import TimelineEntry
from perks import goodwill, history
from perks.models import Perk
from tests import factories
from tests.perks.conftest import basket, number
from tests.perks.redeeming import asked

LINES = [
    {"id": "a", "sku": "A", "quantity": 3, "unit_amount": 3333},
    {"id": "b", "sku": "B", "quantity": 1, "unit_amount": 101},
]


def story():
    """Kind and moment of what is told, the oldest first."""
    return list(TimelineEntry.objects.filter(kind__startswith="perk.").order_by("pk").values_list("kind", "at"))


def kinds():
    return [kind for kind, _at in story()]


class TestAnOrder:
    def test_is_told_once_when_it_is_paid(self, shop, joined, clock):
        check = shop.check(member=number(joined()), basket=basket())
        held = shop.hold(check, "free-shipping", "standing-discount", order="L-17")
        assert story() == []
        clock.move(minutes=2)
        assert shop.commit(held) == shop.commit(held)
        assert story() == [("perk.used", clock.now)]
        told = TimelineEntry.objects.get(kind="perk.used")
        assert told.member.number == held["member"]
        assert told.actor.startswith("shop:")
        assert told.data == {
            "redemption": held["id"],
            "order": "L-17",
            "perks": ["free-shipping", "standing-discount"],
            "worth": {"EUR": 1140},
        }

    def test_that_was_abandoned_is_told_once(self, shop, two_uses):
        held = shop.hold(shop.check(**asked(two_uses)), "concierge")
        shop.release(held)
        shop.release(held)
        assert kinds() == ["perk.released"]

    def test_of_a_seat_is_told_to_who_sits_on_it(self, shop, joined, clock):
        holder = factories.member()
        households.open_seat(membership=joined(), holder=holder, at=clock.now, actor="staff:1")
        check = shop.check(member={"number": holder.number}, perks=["concierge"])
        shop.commit(shop.hold(check, "concierge"))
        assert TimelineEntry.objects.get(kind="perk.used").member == holder


class TestAHoldThatRanOut:
    def test_is_told_at_its_own_moment_by_the_sweep_and_only_once(self, shop, two_uses, clock):
        shop.hold(shop.check(**asked(two_uses)), "concierge", hold_seconds=600)
        over = clock.move(minutes=10)
        clock.move(minutes=5)
        call_command("tick")
        call_command("tick")
        assert story() == [("perk.expired", over or clock.now.replace(minute=10))]

    def test_is_told_by_the_hold_that_takes_its_use_as_well(self, shop, two_uses, clock):
        for _ in range(2):
            shop.hold(shop.check(**asked(two_uses)), "concierge", hold_seconds=600)
        clock.move(minutes=15)
        shop.hold(shop.check(**asked(two_uses)), "concierge")
        call_command("tick")
        assert kinds() == ["perk.expired", "perk.expired"]

    def test_tells_all_that_was_held_although_its_uses_run_out_one_after_the_other(self, shop, two_uses, clock):
        check = shop.check(member=number(two_uses), basket=basket())
        shop.hold(check, "free-shipping", "concierge", hold_seconds=600)
        clock.move(minutes=15)
        shop.hold(shop.check(**asked(two_uses)), "concierge")  # tidies the concierge's alone
        call_command("tick")
        (told,) = TimelineEntry.objects.filter(kind="perk.expired")
        assert told.data["perks"] == ["free-shipping", "concierge"]


class TestAReturn:
    @pytest.fixture
    def ordered(self, shop, joined):
        check = shop.check(member=number(joined()), basket=basket(lines=LINES))
        return shop.commit(shop.hold(check, "standing-discount", "free-shipping"))

    def test_is_told_by_its_lines_each_time_and_adds_up_to_the_ledger(self, shop, ordered):
        for back in ({"a": 1}, {"a": 2, "b": 1}):
            shop.give_back(ordered, **back)
        told = TimelineEntry.objects.filter(kind="perk.returned").order_by("pk")
        assert [one.data["lines"] for one in told] == [{"a": 1}, {"a": 2, "b": 1}]
        assert sum(one.data["worth"]["EUR"] for one in told) == 1000

    def test_repeated_under_the_same_key_is_told_once(self, shop, ordered):
        for _ in range(2):
            shop.ask_to_return(ordered, key="the-same", a=1)
        assert kinds() == ["perk.used", "perk.returned"]

    def test_of_what_came_back_already_is_not_told(self, shop, ordered):
        for _ in range(2):
            shop.give_back(ordered)
        assert kinds() == ["perk.used", "perk.returned"]

    def test_of_an_order_without_lines_is_told_once(self, shop, two_uses):
        used = shop.commit(shop.hold(shop.check(**asked(two_uses)), "concierge"))
        for _ in range(2):
            shop.give_back(used)
        assert kinds() == ["perk.used", "perk.returned"]


class TestThePage:
    def test_tells_it_as_it_happened_in_the_members_language(self, shop, joined, client, clock):
        membership = joined()
        check = shop.check(member=number(membership), basket=basket(lines=LINES))
        shop.give_back(shop.commit(shop.hold(check, "standing-discount", order="L-17")), a=3)
        gift = {"until": clock.now.replace(month=4, day=1, hour=22), "reason": "Late parcel", "actor": "staff:1"}
        goodwill.give(membership=membership, perk=Perk.objects.get(code="concierge"), at=clock.now, **gift)
        abandoned = shop.check(**asked(membership))
        shop.release(shop.hold(abandoned, "concierge", order="L-18"))
        client.force_login(membership.member.user)
        page = re.sub(r"\s+", " ", client.get("/portal/savings/").content.decode().replace("\u00a0", " "))
        assert "Order L-17: Standing discount." in page
        assert "Goods of order L-17 came back: Standing discount." in page
        assert "€ 5.05" in page
        assert "−€ 5.00" in page
        assert "Given to you by us, until 1 April 2026: Concierge." in page
        assert "L-18" not in page
        assert page.index("Given to you by us") < page.index("came back") < page.index("Order L-17")

    def test_has_words_for_staff_too_and_in_german(self, shop, two_uses, clock):
        shop.release(shop.hold(shop.check(**asked(two_uses)), "concierge", order="L-18"))
        shop.hold(shop.check(**asked(two_uses)), "concierge", order="L-19")
        clock.move(hours=1)
        call_command("tick")
        with translation.override("de"):
            lines = history.told(list(TimelineEntry.objects.filter(kind__startswith="perk.")))
        assert [line.words for line in lines] == [
            "Bestellung L-19 wurde nicht bezahlt: Concierge.",
            "Bestellung L-18 kam nicht zustande: Concierge.",
        ]
