"""The engine, pure: no database, no clock, no shop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perks import engine
from perks.basket import Basket, Line, OtherDiscount, Shipping
from perks.facts import Facts, Held, Window
from perks.kinds.base import SaleDates

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
KINDS = {"ship": "free_shipping", "percent": "percent_discount", "early": "early_access", "help": "concierge"}


def held(perk: str, kind: str, used: dict[str, int] | None = None, **sold: object) -> Held:
    return Held(grant=1, perk=perk, kind=kind, settings=orjson.dumps(sold).decode(), used=used or {})


def member(*perks: Held, **facts: object) -> Facts:
    until = AT + timedelta(days=100)
    window = Window(AT - timedelta(days=100), until, "gold", provisional=False, held=perks)
    given_facts = {
        "status": "active",
        "end_reason": "",
        "zone": "Europe/Amsterdam",
        "began_at": window.starts_at,
        "entitled_until": until,
        "grace_until": None,
        "cut_at": None,
        "stops": (),
        "pauses": (),
        "windows": (window,),
        "goodwill": (),
    }
    return Facts(**{**given_facts, **facts})


def line(name="1", amount=12900, quantity=1, **rest):
    return Line(id=name, sku=rest.pop("sku", f"SKU-{name}"), unit_amount=amount, quantity=quantity, **rest)


def basket(*lines, currency="EUR", shipping=("NL", "standard", 495), **rest):
    made = Shipping(country=shipping[0], method=shipping[1], amount=shipping[2]) if shipping else None
    return Basket(currency=currency, lines=list(lines), shipping=made, **rest)


def decide(facts, asked_basket, *asked, at=AT, sales=(), **rest):
    codes = {h.perk: h.kind for w in facts.windows for h in w.held} if facts else {}
    world = engine.World(perks={**KINDS, **codes}, sales={s.code: s for s in sales}, mend_url="https://x/mend")
    return engine.decide(facts=facts, basket=asked_basket, asked=asked or None, world=world, at=at, **rest)


def reason(facts, asked_basket, perk, **rest):
    return decide(facts, asked_basket, perk, **rest).decisions[0].reason


class TestFreeShipping:
    def test_takes_the_delivery_off(self):
        answer = decide(member(held("ship", "free_shipping")), basket(line()), "ship")
        assert (answer.totals.shipping_discount, answer.totals.payable) == (495, 12900)
        assert answer.decisions[0].message == "Free standard delivery to the Netherlands."

    @pytest.mark.parametrize(
        ("sold", "asked", "expected"),
        [
            ({"countries": ["DE"]}, basket(line()), "country_excluded"),
            ({"methods": ["express"]}, basket(line()), "method_excluded"),
            ({"minimum_basket": {"EUR": 12901}}, basket(line()), "below_minimum"),
            ({"minimum_basket": {"EUR": 12900}}, basket(line()), "granted"),
            ({"minimum_basket": {"EUR": 5000}}, basket(line(), currency="JPY"), "currency_mismatch"),
            ({"currencies": ["EUR"]}, basket(line(), currency="CHF"), "currency_mismatch"),
            ({}, basket(line(), shipping=None), "nothing_eligible"),
            ({}, None, "nothing_eligible"),
        ],
    )
    def test_says_why_not(self, sold, asked, expected):
        assert reason(member(held("ship", "free_shipping", **sold)), asked, "ship") == expected

    def test_takes_no_more_than_its_maximum(self):
        facts = member(held("ship", "free_shipping", maximum={"EUR": 300}))
        assert decide(facts, basket(line()), "ship").totals.shipping_discount == 300


class TestPercentDiscount:
    @pytest.mark.parametrize(
        ("amount", "percent", "off"),
        [
            (12900, "5", 645),
            (10, "5", 1),  # 0.5 rounds up
            (9, "5", 0),  # 0.45 rounds down
            (130, "2.5", 3),  # 3.25
            (100, "2.5", 3),  # 2.5 rounds up
            (999, "100", 999),
        ],
    )
    def test_rounds_half_up_per_line(self, amount, percent, off):
        facts = member(held("percent", "percent_discount", percent=percent))
        assert decide(facts, basket(line(amount=amount)), "percent").totals.discount == off

    @pytest.mark.parametrize(
        ("sold", "asked", "expected"),
        [
            ({"not_on_sale": True}, line(sale="winter"), "item_excluded"),
            ({"excluded_categories": ["coats"]}, line(categories=["coats"]), "item_excluded"),
            ({"excluded_skus": ["SKU-1"]}, line(), "item_excluded"),
            ({"categories": ["shoes"]}, line(categories=["coats"]), "item_excluded"),
            ({"categories": ["shoes"], "skus": ["SKU-1"]}, line(), "granted"),
            ({}, line(amount=0), "nothing_eligible"),
            ({"minimum_basket": {"EUR": 99999}}, line(), "below_minimum"),
            ({"maximum": {"USD": 100}}, line(), "currency_mismatch"),
        ],
    )
    def test_says_why_not(self, sold, asked, expected):
        facts = member(held("percent", "percent_discount", percent="5", **sold))
        assert reason(facts, basket(asked), "percent") == expected

    def test_never_beside_the_shops_own_discount_if_so_sold(self):
        facts = member(held("percent", "percent_discount", percent="5", stacking="not_with_other_discounts"))
        own = [OtherDiscount(code="SPRING", amount=100)]
        assert reason(facts, basket(line(), discounts=own), "percent") == "not_stackable"

    def test_best_of_a_group_counts(self):
        facts = member(
            held("five", "percent_discount", percent="5", stacking="best_of_group", group="percent"),
            held("ten", "percent_discount", percent="10", stacking="best_of_group", group="percent"),
        )
        answer = decide(facts, basket(line()), "five", "ten")
        assert [d.reason for d in answer.decisions] == ["not_stackable", "granted"]
        assert answer.totals.discount == 1290


WINTER = SaleDates("winter", {"en": "Winter"}, AT + timedelta(hours=36), AT + timedelta(days=20))


class TestEarlyAccess:
    def facts(self, hours=48):
        return member(held("early", "early_access", hours=hours))

    @pytest.mark.parametrize(
        ("hours", "later", "expected"),
        [(48, 0, "granted"), (24, 0, "not_open_yet"), (24, 12, "granted"), (24, 20 * 24, "closed")],
    )
    def test_opens_by_the_hour(self, hours, later, expected):
        asked = basket(line(sale="winter"))
        at = AT + timedelta(hours=later)
        assert reason(self.facts(hours), asked, "early", at=at, sales=[WINTER]) == expected

    def test_tells_when_it_opens_and_answers_no_longer_than_that(self):
        answer = decide(self.facts(24), basket(line(sale="winter")), "early", sales=[WINTER])
        assert answer.decisions[0].opens_at == answer.valid_until == AT + timedelta(hours=12)

    def test_has_nothing_to_say_about_goods_in_no_sale_it_knows(self):
        assert reason(self.facts(), basket(line(sale="summer")), "early", sales=[WINTER]) == "nothing_eligible"


class TestConcierge:
    def test_counts_its_allowance(self):
        facts = member(held("help", "concierge", allowance={"uses": 12}, used={"term": 5}))
        assert decide(facts, None, "help").decisions[0].uses_left == 7

    def test_is_used_up(self):
        facts = member(held("help", "concierge", allowance={"uses": 2, "every": "quarter"}, used={"2026-Q4": 2}))
        decision = decide(facts, None, "help").decisions[0]
        assert (decision.reason, decision.uses_left) == ("used_up", 0)
        assert decision.resets_at == datetime(2026, 12, 31, 23, tzinfo=UTC)  # midnight of 1 January in Amsterdam


class TestStanding:
    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            ({"stops": ((AT, None),)}, "membership_suspended"),
            ({"pauses": ((AT, AT + timedelta(days=1)),)}, "membership_paused"),
            ({"cut_at": AT}, "membership_ended"),
            ({"entitled_until": AT}, "membership_lapsed"),
            ({"began_at": None, "entitled_until": None, "status": "pending"}, "membership_pending"),
            ({"began_at": AT + timedelta(days=1)}, "membership_pending"),
            (
                {"began_at": None, "entitled_until": None, "status": "ended", "end_reason": "expired"},
                "not_a_member",
            ),
        ],
    )
    def test_comes_before_any_rule(self, facts, expected):
        assert reason(member(held("ship", "free_shipping"), **facts), basket(line()), "ship") == expected

    @pytest.mark.parametrize(("rule", "expected"), [("keep", "granted"), ("stop", "payment_overdue")])
    def test_in_grace_the_perk_decides_and_the_mending_page_is_named(self, rule, expected):
        facts = member(
            held("ship", "free_shipping", in_grace=rule), entitled_until=AT, grace_until=AT + timedelta(days=14)
        )
        decision = decide(facts, basket(line()), "ship").decisions[0]
        assert (decision.reason, decision.action_url) == (expected, "https://x/mend")

    def test_of_nobody(self):
        assert reason(None, basket(line()), "ship") == "not_a_member"
        assert reason(None, basket(line()), "ship", known=False) == "unknown_member"
        assert reason(None, basket(line()), "nonsense", known=False) == "unknown_perk"
        assert reason(member(), basket(line()), "ship") == "not_in_tier"

    def test_answers_hold_until_the_next_known_change_and_a_day_at_most(self):
        assert decide(member(), None).valid_until == AT + timedelta(hours=24)
        assert decide(None, None).valid_until == AT + timedelta(minutes=1)  # they may join at any moment
        assert decide(member(entitled_until=AT + timedelta(hours=1)), None).valid_until == AT + timedelta(hours=1)


# Kinds that take a sum off the basket as a whole, and what else they need to say yes.
LAST_KINDS = [("birthday_gift", {"days_before": 60, "days_after": 60}), ("fixed_credit", {})]


# --- what holds for every basket and every set of perks ---

names = st.sampled_from("abcdef")
currencies = st.sampled_from(["EUR", "JPY"])
lines = st.lists(
    st.builds(
        line,
        name=names,
        amount=st.integers(0, 50_000),
        quantity=st.integers(1, 9),
        categories=st.lists(st.sampled_from(["coats", "shoes"]), max_size=2),
    ),
    max_size=5,
    unique_by=lambda made: made.id,
)
baskets = st.builds(
    lambda made, currency, ship, own: basket(
        *made,
        currency=currency,
        shipping=("NL", "standard", ship),
        discounts=[OtherDiscount(code="own", amount=own)] if own else [],
    ),
    lines,
    currencies,
    st.integers(0, 3000),
    st.integers(0, 20_000),
)
groups = st.sampled_from([{}, *({"stacking": "best_of_group", "group": name} for name in "gh")])
maxima = st.sampled_from([{}, {"maximum": {"EUR": 700, "JPY": 90}}])
percents = st.builds(
    lambda percent, only, group, most: ("percent_discount", {"percent": str(percent), **only, **group, **most}),
    st.integers(1, 100),
    st.sampled_from([{}, {"categories": ["coats"]}, {"excluded_categories": ["coats"]}]),
    groups,
    maxima,
)
ships = st.builds(lambda most: ("free_shipping", most), maxima)
sums = st.builds(
    lambda kind, amount, group: (*kind, {"amount": {"EUR": amount, "JPY": amount}, **group}),
    st.sampled_from(LAST_KINDS),
    st.integers(1, 30_000),
    groups,
).map(lambda made: (made[0], {**made[1], **made[2]}))
any_perk = st.one_of(percents, ships, sums)
perks = st.lists(any_perk, max_size=5)


def holder(sold):
    perks_held = (held(f"p{n}", kind, **settings_sold) for n, (kind, settings_sold) in enumerate(sold))
    return member(*perks_held, birthday=(AT.month, AT.day))


class TestEveryBasket:
    @given(baskets, perks)
    @settings(max_examples=150, deadline=None)
    def test_is_never_paid_less_than_nothing_nor_more_than_it_costs(self, asked, sold):
        answer = decide(holder(sold), asked)
        totals = answer.totals
        assert 0 <= totals.payable <= totals.lines + totals.shipping
        assert 0 <= totals.discount <= totals.lines
        assert 0 <= totals.shipping_discount <= totals.shipping
        amounts = {made.id: made.amount for made in asked.lines}
        for decision in answer.decisions:
            for line_id, off in (decision.effect.lines or ()) if decision.effect else ():
                assert 0 < off <= amounts[line_id]

    @given(baskets, perks, st.randoms())
    @settings(max_examples=100, deadline=None)
    def test_costs_the_same_in_every_order_of_lines(self, asked, sold, chance):
        shuffled = asked.model_copy(update={"lines": chance.sample(asked.lines, len(asked.lines))})
        assert decide(holder(sold), shuffled).totals == decide(holder(sold), asked).totals

    @given(baskets, perks, any_perk)
    @settings(max_examples=150, deadline=None)
    def test_never_costs_more_with_one_more_perk(self, asked, sold, another):
        more = decide(holder([*sold, another]), asked).totals.payable
        assert more <= decide(holder(sold), asked).totals.payable

    @given(baskets, perks)
    @settings(max_examples=50, deadline=None)
    def test_gets_each_decision_once_and_a_moment_until_which_it_holds(self, asked, sold):
        answer = decide(holder(sold), asked)
        assert len({d.perk for d in answer.decisions}) == len(answer.decisions)
        assert AT < answer.valid_until <= AT + engine.LONGEST_VALIDITY
