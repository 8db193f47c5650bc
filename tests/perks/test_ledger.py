"""The value ledger: what a use counts for, what comes back of it, and what is told of it."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perks import decisions, ledger
from perks.kinds import concierge
from perks.models import Grant, Redemption
from tests.perks.conftest import basket, number

amounts = st.integers(0, 10**12)
orders = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=2),
    st.tuples(st.integers(1, 50), st.integers(1, 10**9)).map(list),
    min_size=1,
)


def parts_of(lines: ledger.Lines, seed: int) -> list[dict[str, int]]:
    """All pieces of an order, in some order and in parcels of one."""
    pieces = [line for line, (quantity, _) in lines.items() for _ in range(quantity)]
    random.Random(seed).shuffle(pieces)
    return [{line: 1} for line in pieces]


class TestReturns:
    @given(worth=amounts, lines=orders, seed=st.integers(0, 100))
    def test_of_every_piece_add_up_to_the_whole_and_never_to_more(self, worth, lines, seed):
        back, taken = dict.fromkeys(lines, 0), 0
        for parcel in parts_of(lines, seed):
            for line, quantity in parcel.items():
                back[line] += quantity
            now = ledger.part(worth, ledger.came_back(lines, back))
            assert taken <= now <= worth
            taken = now
        assert taken == worth

    @given(worth=amounts, lines=orders, one=st.integers(0, 100), other=st.integers(0, 100), some=st.integers(0, 20))
    def test_of_the_same_goods_give_the_same_in_whatever_order(self, worth, lines, one, other, some):
        told = []
        for seed in (one, other):
            sent = sorted(line for parcel in parts_of(lines, 1)[:some] for line in parcel)
            random.Random(seed).shuffle(sent)
            back = {line: sent.count(line) for line in lines}
            told.append(ledger.part(worth, ledger.came_back(lines, back)))
        assert told[0] == told[1]


class TestTheValueOfAUse:
    def of(self, worth, currency, own="EUR", off=None):
        settings = concierge.Settings.model_validate({"worth": worth})
        effect = {"target": "service"} if off is None else {"target": "lines", "amount_off": off}
        return ledger.value(settings, effect, currency=currency, own=own)[::2]

    @pytest.mark.parametrize(("share", "expected"), [(100, 645), (50, 323), (0, 0)])
    def test_is_a_share_of_its_effect_half_up(self, share, expected):
        assert self.of({"share": share}, "EUR", off=645) == (expected, "EUR")

    def test_is_a_fixed_sum_in_the_baskets_currency(self):
        assert self.of({"fixed": {"EUR": 2500, "JPY": 4000}}, "JPY") == (4000, "JPY")

    def test_without_a_basket_is_in_the_members_own_currency_or_in_one_that_is_known(self):
        assert self.of({"fixed": {"EUR": 2500, "USD": 2700}}, None, own="USD") == (2700, "USD")
        assert self.of({"fixed": {"EUR": 2500}}, None, own="JPY") == (2500, "EUR")
        assert self.of({}, None, own="JPY") == (0, "JPY")


class TestWhatIsTold:
    def test_of_a_member_by_use_and_by_perk(self, shop, joined, clock):
        membership = joined()
        asked = {"member": number(membership)}
        for order in ("1", "2"):
            check = shop.check(**asked, basket=basket())
            shop.commit(shop.hold(check, "standing-discount", "free-shipping", order=order))
            clock.move(days=1)
        yen = basket(currency="JPY", shipping={"country": "JP", "method": "express", "amount": 900})
        returned = shop.commit(shop.hold(shop.check(**asked, basket=yen), "free-shipping"))
        shop.hold(shop.check(**asked, basket=basket()), "free-shipping")  # and never paid
        span = {"member": membership.member, "since": clock.now - timedelta(days=2), "until": clock.now}
        assert [(u.perk, u.order, u.worth) for u in ledger.uses(**span)] == [
            ("standing-discount", "1", 645),
            ("free-shipping", "1", 495),
            ("standing-discount", "2", 645),
            ("free-shipping", "2", 495),
        ]
        span["until"] += timedelta(seconds=1)
        told = [(s.perk, s.currency, s.uses, s.worth) for s in ledger.savings(**span)]
        assert told == [
            ("free-shipping", "EUR", 2, 990),
            ("free-shipping", "JPY", 1, 900),
            ("standing-discount", "EUR", 2, 1290),
        ]
        shop.give_back(returned)
        assert ("free-shipping", "JPY") not in [s[:2] for s in ledger.savings(**span)]


class TestAllowancesOfACalendarPeriod:
    def sold(self, joined, **allowance):
        """A gold member whose concierge is counted by the calendar."""
        joined_now = joined()
        for grant in Grant.objects.filter(membership=joined_now, perk__code="concierge"):
            grant.settings = {**grant.settings, "allowance": allowance, "in_grace": "keep"}
            grant.save()
        return joined_now

    def take(self, shop, membership):
        check = shop.check(member=number(membership), perks=["concierge"])
        if check["decisions"][0]["reason"] == "used_up":
            return False
        shop.commit(shop.hold(check, "concierge"))
        return True

    def test_carry_over_once_and_no_further(self, shop, joined, clock):
        membership = self.sold(joined, uses=1, every="quarter", carry_over=True)
        shop.hold(shop.check(member=number(membership), perks=["concierge"]), "concierge", hold_seconds=60)
        clock.move(days=40)  # nothing came of the hold; the second quarter has begun
        assert [self.take(shop, membership) for _ in range(3)] == [True, True, False]
        assert sorted(Redemption.objects.filter(status="committed").values_list("slot", "period")) == [
            (1, "2026-Q2"),
            (2, "2026-Q2"),
        ]

    def test_are_not_given_anew_by_a_renewal_in_the_midst_of_one(self, shop, joined, clock):
        membership = self.sold(joined, uses=2, every="year", carry_over=False)
        clock.move_to(membership.terms.get().ends_at - timedelta(hours=1))
        assert self.take(shop, membership)
        clock.move(hours=2)  # in the hour before the renewal is paid
        assert [self.take(shop, membership) for _ in range(2)] == [True, False]
        assert Redemption.objects.values("grant").distinct().count() == 2
        assert Redemption.objects.values("draws_on").distinct().count() == 1


def test_a_check_that_another_process_is_about_to_write_is_waited_for(shop, joined, monkeypatch):
    check = shop.check(member=number(joined()), basket=basket())
    elsewhere = decisions._waiting.pop()

    def is_written_meanwhile(seconds: float) -> None:
        decisions.record(elsewhere)
        decisions.flush()

    monkeypatch.setattr(decisions.time, "sleep", is_written_meanwhile)
    assert shop.hold(check, "free-shipping")["check"] == check["id"]


@pytest.mark.parametrize("ident", ["%00", "red_%F0%9F%8E%81", "x" * 300, "red_" + "A" * 22])
def test_a_redemption_that_cannot_be_is_not_found(shop, ident):
    response = shop.call("GET", f"/redemptions/{ident}")
    assert (response.status_code, response.json()["code"]) == (404, "unknown_redemption")
