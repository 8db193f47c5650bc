"""Programmes of the field, loaded as they are written, and what their typical baskets come to.

Each case names its tier and basket and the figures worked out by hand beside it: goods, shipping, what comes off.
The tests' day is 2 March 2026.
"""

from __future__ import annotations

from datetime import date
from io import StringIO
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from membership import birthdays, lifecycle
from membership.models import Plan
from perks import keys, programme
from perks.models import Perk
from tests import factories
from tests.perks.conftest import Shop, number

NAMES = sorted(path.stem for path in programme.FOLDER.glob("*.toml"))


class Case(NamedTuple):
    """`goods`: (SKU, minor units, categories or sale). `payable` and the reasons that differ from a plain yes."""

    programme: str
    plan: str
    currency: str
    goods: list[tuple[str, int, dict[str, Any]]]
    shipping: tuple[str, str, int] | None
    payable: int
    reasons: dict[str, str]
    birthday: date | None = None


def goods(sku: str, amount: int, *categories: str, **rest: Any) -> tuple[str, int, dict[str, Any]]:
    return sku, amount, {"categories": list(categories), **rest}


BIRTHDAY = date(1990, 3, 5)

CASES = [
    # 129.00 less 5 % (6.45) = 122.55; express 12.95 comes off.
    Case("laurel", "gold-year", "EUR", [goods("COAT-9", 12900, "coats")], ("NL", "express", 1295), 12255,
         {"free-shipping": "granted", "standing-discount": "granted", "returns": "granted"}),
    # Bronze pays the goods; express is not in it: 129.00 + 12.95.
    Case("laurel", "bronze-year", "EUR", [goods("COAT-9", 12900, "coats")], ("NL", "express", 1295), 14195,
         {"free-shipping": "method_excluded", "standing-discount": "not_in_tier"}),
    # 80.00 less the cheque of 20.00 = 60.00; delivery free for gold from 0.
    Case("tritonx", "gold-year", "EUR", [goods("A", 8000)], ("DE", "standard", 495), 6000,
         {"quarterly-cheque": "granted", "delivery": "granted", "sale-access": "granted"}),
    # 40.00 less 10.00 = 30.00; delivery only from 50.00: + 4.95. The sale is 36 h away, silver's 24 h before it.
    Case("tritonx", "silver-year", "EUR", [goods("A", 4000)], ("DE", "standard", 495), 3495,
         {"quarterly-cheque": "granted", "delivery": "below_minimum", "sale-access": "not_open_yet"}),
    # 24.99 is below the cheque's 25.00: 24.99 + 4.95. Bronze has no delivery.
    Case("tritonx", "bronze-year", "EUR", [goods("A", 2499)], ("DE", "standard", 495), 2994,
         {"quarterly-cheque": "below_minimum", "delivery": "not_in_tier", "sale-access": "not_in_tier"}),
    # 12.00 + groceries 40.00 less 10 % (4.00) + wine 20.00 without = 68.00; one-day 5.99 comes off.
    Case("amazon-prime", "prime-year", "USD",
         [goods("B", 1200), goods("F", 4000, "groceries"), goods("W", 2000, "groceries", "alcohol")],
         ("US", "one-day", 599), 6800,
         {"prime-delivery": "granted", "groceries": "granted", "same-day-delivery": "method_excluded"}),
    # Same day needs 35.00; 34.99 has to pay 2.99. By the month as by the year.
    Case("amazon-prime", "prime-month", "USD", [goods("B", 3499)], ("US", "same-day", 299), 3798,
         {"prime-delivery": "method_excluded", "groceries": "item_excluded", "same-day-delivery": "below_minimum"}),
    # 15.00 reaches the pound's minimum: next-day 5.95 comes off.
    Case("asos-premier", "premier-year", "GBP", [goods("T", 1500)], ("GB", "next-day", 595), 1500,
         {"next-day": "granted", "standard": "method_excluded", "early-sale": "not_open_yet"}),
    # 39.99 does not reach 40.00 dollars: + 12.00. In euros nothing is sold.
    Case("asos-premier", "premier-year", "USD", [goods("T", 3999)], ("US", "next-day", 1200), 5199,
         {"next-day": "below_minimum", "standard": "method_excluded"}),
    # 1,000.00 less 10 % on the dress alone: 800.00 → 80.00 off; jewelry 200.00 stays. 80.00 + the birthday's 100.00
    # off the rest: 1000 - 80 - 100 = 820.00; delivery 25.00 comes off.
    Case("farfetch", "private-client-year", "EUR", [goods("D", 80000, "dresses"), goods("J", 20000, "fine-jewelry")],
         ("IT", "express", 2500), 82000,
         {"delivery": "granted", "standing-discount": "granted", "birthday": "granted", "stylist": "granted"},
         BIRTHDAY),
    # 149.99: below gold's 150.00 for delivery and birthday: + 25.00. The sale is 96 h away, gold's 24 h before it.
    Case("farfetch", "gold-year", "EUR", [goods("D", 14999, "dresses")], ("IT", "express", 2500), 17499,
         {"delivery": "below_minimum", "birthday": "below_minimum", "stylist": "not_in_tier",
          "early-sale": "not_open_yet"}, BIRTHDAY),
    # 199.99 for silver, whose delivery begins at 200.00.
    Case("farfetch", "silver-year", "EUR", [goods("D", 19999, "dresses")], ("IT", "express", 2500), 22499,
         {"delivery": "below_minimum", "birthday": "not_in_tier"}),
    # Bronze: nothing but the name.
    Case("farfetch", "bronze-year", "EUR", [goods("D", 50000, "dresses")], ("IT", "express", 2500), 52500,
         {"delivery": "not_in_tier"}),
    # Two nights 2 × 210.00 less 10 % (42.00) + a meal 60.00; then the credit of 25.00: 420 - 42 + 60 - 25 = 413.00.
    Case("hyatt", "globalist-year", "USD", [goods("N", 42000, "room"), goods("M", 6000, "restaurant")], None, 41300,
         {"member-rate": "granted", "dining-credit": "granted", "guest-of-honor": "granted", "concierge": "granted"}),
    # The same for life: a credit of 50.00.
    Case("hyatt", "lifetime-once", "USD", [goods("N", 42000, "room"), goods("M", 6000, "restaurant")], None, 38800,
         {"dining-credit": "granted", "lounge-for-guests": "granted"}),
    # Explorist: 10 % off the room, passes, no credit: 420 - 42 + 60 = 438.00.
    Case("hyatt", "explorist-year", "USD", [goods("N", 42000, "room"), goods("M", 6000, "restaurant")], None, 43800,
         {"lounge-for-guests": "granted", "guest-of-honor": "not_in_tier", "dining-credit": "not_in_tier"}),
    # Discoverist: a night at a promotion's price is not less again.
    Case("hyatt", "discoverist-year", "USD", [goods("N", 15000, "room", sale="promo")], None, 15000,
         {"member-rate": "item_excluded", "late-checkout": "granted", "lounge-for-guests": "not_in_tier"}),
    # Member: the rate alone: 210.00 - 21.00.
    Case("hyatt", "member-year", "USD", [goods("N", 21000, "room")], None, 18900,
         {"member-rate": "granted", "late-checkout": "not_in_tier"}),
    # Nothing comes off: hemming and returns are booked, and the pair on final sale does not come back.
    Case("lululemon", "essential-year", "USD", [goods("L", 11800, "leggings"), goods("S", 5900, "final-sale")],
         ("US", "standard", 0), 17700,
         {"hemming": "granted", "no-receipt": "granted", "sale-returns": "granted", "early-drops": "not_open_yet"}),
    # A bottle alone cannot be hemmed.
    Case("lululemon", "essential-year", "CAD", [goods("B", 4800, "accessories")], ("CA", "standard", 0), 4800,
         {"hemming": "item_excluded", "no-receipt": "granted"}),
    # Shelf 99.00, a family offer: less 15 % (14.85) = 84.15; meatballs 6.00; the birthday's 5.00: 84.15 + 6 - 5.
    Case("ikea-family", "family-year", "EUR", [goods("SHELF", 9900, "family-offer"), goods("FOOD", 600, "food")],
         ("NL", "standard", 3900), 8515 + 3900,
         {"family-offers": "granted", "birthday": "granted", "returns": "granted", "hot-drink": "granted"},
         date(1990, 3, 1)),
    # Kronor, no offer in the basket, no birthday told.
    Case("ikea-family", "family-year", "SEK", [goods("PLANT", 14900, "plants")], None, 14900,
         {"family-offers": "item_excluded", "birthday": "birthday_unknown", "returns": "item_excluded"}),
    # Shoes 180.00 less 20 % (36.00); a limited pair 200.00 without; the birthday's 25.00; express comes off.
    Case("adidas", "level-4-year", "EUR", [goods("RUN", 18000, "shoes"), goods("LTD", 20000, "limited")],
         ("DE", "express", 999), 38000 - 3600 - 2500,
         {"delivery": "granted", "personalization": "granted", "member-week": "granted", "birthday": "granted"},
         BIRTHDAY),
    # 400.00 less 15 % would be 60.00; at most 50.00 comes off.
    Case("adidas", "level-3-year", "EUR", [goods("RUN", 40000, "shoes")], ("DE", "standard", 499), 35000,
         {"member-week": "granted", "events": "not_in_tier", "delivery": "granted"}),
    # Level 1: delivery, not by express.
    Case("adidas", "level-1-year", "EUR", [goods("RUN", 4000, "shoes")], ("DE", "express", 999), 4999,
         {"delivery": "method_excluded", "personalization": "not_in_tier", "sale-access": "not_in_tier"}),
    # Level 2: the outlet days are 30 h away, its 12 h before them.
    Case("adidas", "level-2-year", "EUR", [goods("RUN", 4000, "shoes")], ("DE", "standard", 499), 4000,
         {"delivery": "granted", "sale-access": "not_open_yet", "member-week": "not_in_tier"}),
]  # fmt: skip


def joins(case: Case, at: Any) -> dict[str, str]:
    member = factories.member(at=at)
    plan = Plan.objects.get(code=case.plan)
    membership = lifecycle.reserve(member=member, plan=plan, currency=case.currency, at=at, actor="system")
    lifecycle.add_term(membership=membership, source="paid", source_ref="in_1", plan=plan, at=at, actor="stripe")
    if case.birthday:
        birthdays.tell(member=member, birthday=case.birthday, at=at, actor="staff:1")
    return number(membership)


def basket(case: Case) -> dict[str, Any]:
    lines = [
        {"id": str(n), "sku": sku, "quantity": 1, "unit_amount": amount, **rest}
        for n, (sku, amount, rest) in enumerate(case.goods)
    ]
    asked: dict[str, Any] = {"currency": case.currency, "lines": lines}
    if case.shipping:
        asked["shipping"] = dict(zip(("country", "method", "amount"), case.shipping, strict=True))
    return asked


@pytest.mark.django_db
class TestTypicalBaskets:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.plan} of {case.programme}: {case.payable}")
    def test_come_to_what_was_worked_out(self, case, client, clock):
        call_command("load_programme", case.programme, stdout=StringIO())
        key = keys.create(shop_name="S", scopes=list(keys.SCOPES), at=clock.now, actor="test")
        answer = Shop(client, key).check(member=joins(case, clock.now), basket=basket(case))
        told = {d["perk"]: d["reason"] for d in answer["decisions"]}
        assert {perk: told[perk] for perk in case.reasons} == case.reasons
        assert answer["totals"]["payable"] == case.payable

    def test_are_written_for_every_programme_and_for_all_of_hyatts_tiers(self):
        assert sorted({case.programme for case in CASES}) == NAMES
        assert len({case.plan for case in CASES if case.programme == "hyatt"}) == 5


@pytest.mark.django_db
class TestEveryProgramme:
    @pytest.mark.parametrize("name", NAMES)
    def test_says_what_it_cannot_do_yet_and_shows_that_nowhere(self, name, client):
        call_command("load_programme", name, stdout=(out := StringIO()))
        missing = [words for tier in programme.read(name).not_yet.values() for words in tier]
        page = client.get(reverse("plans")).content.decode()
        for words in missing:
            assert words in out.getvalue()
            assert words not in page
        assert all(perk.published for perk in Perk.objects.all())

    @pytest.mark.parametrize("name", NAMES)
    def test_can_be_loaded_again_and_is_said_in_both_languages(self, name, client):
        for _twice in range(2):
            call_command("load_programme", name, stdout=StringIO())
        assert all({"en", "de"} <= set(perk.names) for perk in Perk.objects.all())
        assert client.get(reverse("plans"), headers={"Accept-Language": "de"}).status_code == 200

    def test_keeps_out_of_an_installation_of_another(self, laurel):
        with pytest.raises(CommandError, match="other tiers"):
            call_command("load_programme", "hyatt", stdout=StringIO())

    def test_does_not_turn_what_was_granted_into_another_kind(self, joined, clock):
        joined("gold-year")
        changed = programme.read("laurel")
        next(perk for perk in changed.perks if perk.code == "concierge").kind = "service"
        with pytest.raises(programme.BadProgramme, match="concierge was granted as concierge"):
            programme.load(programme=changed, at=clock.now)
