"""Birthday gift: by the member's own calendar, once around each birthday. No job runs in any of these tests."""

from datetime import UTC, date, datetime

import pytest

from membership import birthdays, households, lifecycle
from perks import kinds
from perks.kinds import birthday_gift
from perks.models import Entitlement
from tests import factories
from tests.perks.conftest import basket

# The tests' day is 2 March 2026; Ada lives in Amsterdam.
GIFT = {"sku": "GIFT-1", "days_before": 7, "days_after": 14}


@pytest.fixture
def gift(sold):
    def sell(birthday: date | None, **settings):
        perk = sold("birthday_gift", {**(GIFT if "amount" not in settings else {}), **settings})
        if birthday:
            tell(perk, birthday)
        return perk

    return sell


def tell(perk, birthday, actor="member:1"):
    birthdays.tell(member=perk.membership.member, birthday=birthday, at=perk.clock.now, actor=actor)


class TestTheWindow:
    def test_opens_and_closes_at_the_members_own_midnight(self, gift):
        perk = gift(date(1990, 3, 20))
        decision = perk.decision()
        assert (decision["reason"], decision["opens_at"]) == ("outside_window", "2026-03-12T23:00:00Z")
        perk.clock.move_to(datetime(2026, 3, 12, 22, 59, 59, tzinfo=UTC))
        assert perk.reason() == "outside_window"
        perk.clock.move_to(datetime(2026, 3, 12, 23, tzinfo=UTC))
        assert perk.reason() == "granted"
        perk.clock.move_to(datetime(2026, 4, 3, 21, 59, 59, tzinfo=UTC))  # summer time has begun
        decision = perk.decision()
        assert (decision["reason"], decision["valid_until"]) == ("granted", "2026-04-03T22:00:00Z")
        perk.clock.move_to(datetime(2026, 4, 3, 22, tzinfo=UTC))
        decision = perk.decision()
        assert (decision["reason"], decision["opens_at"]) == ("outside_window", "2027-03-12T23:00:00Z")

    def test_is_not_known_before_the_birthday_is(self, gift):
        perk = gift(None)
        assert perk.reason() == "birthday_unknown"
        tell(perk, date(1990, 3, 5))
        assert perk.reason() == "granted"

    @pytest.mark.parametrize(("year", "expected"), [(2026, 28), (2028, 29)])
    def test_of_somebody_born_on_the_leap_day(self, year, expected):
        settings = birthday_gift.Settings(sku="G", days_before=0, days_after=0)
        window = settings.window(datetime(year, 2, 1, tzinfo=UTC), (2, 29), "UTC")
        assert (window.starts_at, window.ends_at.month) == (datetime(year, 2, expected, tzinfo=UTC), 3)


class TestOnce:
    def test_for_each_birthday(self, gift):
        perk = gift(date(1990, 3, 5))
        perk.use()
        decision = perk.decision()
        assert (decision["reason"], decision["resets_at"]) == ("used_up", "2027-02-25T23:00:00Z")

    def test_also_where_the_window_lies_over_new_years_eve(self, gift):
        perk = gift(date(1990, 1, 1))
        perk.clock.move_to(datetime(2026, 12, 28, tzinfo=UTC))
        perk.use()
        perk.clock.move_to(datetime(2027, 1, 3, tzinfo=UTC))
        assert perk.reason() == "used_up"

    def test_also_where_a_renewal_lies_in_the_window(self, gift):
        perk = gift(date(1990, 3, 2))
        perk.clock.move_to(datetime(2027, 2, 28, tzinfo=UTC))
        perk.use()
        perk.clock.move_to(datetime(2027, 3, 2, 10, tzinfo=UTC))
        lifecycle.add_term(
            membership=perk.membership,
            source="paid",
            source_ref="in_renewed",
            plan=perk.membership.plan,
            at=perk.clock.now,
            actor="stripe",
        )
        perk.clock.move_to(datetime(2027, 3, 3, 10, tzinfo=UTC))
        assert perk.reason() == "used_up"

    def test_also_where_the_birthday_is_corrected(self, gift):
        perk = gift(date(1990, 3, 5))
        perk.use()
        with pytest.raises(birthdays.BirthdayKnown):
            tell(perk, date(1990, 12, 5))
        tell(perk, date(1990, 3, 8), actor="staff:1")
        assert perk.reason() == "used_up"


class TestTheGift:
    def test_is_an_article(self, gift):
        decision = gift(date(1990, 3, 5)).decision(basket())
        assert decision["effect"] == {"target": "gift", "sku": "GIFT-1"}
        assert decision["message"] == "Happy birthday! Your gift is in the parcel."

    def test_or_a_sum_that_never_exceeds_the_goods(self, gift):
        perk = gift(date(1990, 3, 5), amount={"EUR": 1000})
        lines = [
            {"id": name, "sku": name, "quantity": 1, "unit_amount": amount}
            for name, amount in zip("ba", (700, 600), strict=True)
        ]
        decision = perk.decision(basket(lines=lines))
        off = [{"id": "b", "amount_off": 400}, {"id": "a", "amount_off": 600}]  # a first, whatever the order
        assert decision["effect"] == {"target": "lines", "amount_off": 1000, "lines": off}
        assert decision["message"] == "Happy birthday! €\u00a010 off this basket."
        assert decision["totals"]["payable"] == 1300 - 1000 + 495

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            (None, "nothing_eligible"),
            (basket(lines=[]), "nothing_eligible"),
            (basket(currency="USD"), "currency_mismatch"),
            (basket(), "below_minimum"),
        ],
    )
    def test_says_why_not(self, gift, asked, expected):
        perk = gift(date(1990, 3, 5), amount={"EUR": 1000}, minimum_basket={"EUR": 15000})
        assert perk.reason(asked) == expected


class TestPrivacy:
    def test_day_and_month_are_kept_only_where_a_perk_asks_for_them_and_never_the_year(self, gift, joined, clock):
        silver = joined("silver-year")
        birthdays.tell(member=silver.member, birthday=date(1990, 3, 5), at=clock.now, actor="member:1")
        assert "birthday" not in Entitlement.objects.get(member=silver.member).facts
        gold = gift(date(1990, 3, 5)).membership.member
        facts = Entitlement.objects.get(member=gold).facts
        assert '"birthday":[3,5]' in facts
        assert "1990" not in facts


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "Name either an article or a sum of money."),
        ({"sku": "A", "amount": {"EUR": 1}}, "Name either an article or a sum of money."),
        ({"sku": "A", "days_before": 91}, "“Days before the birthday”: must be at most 90."),
        (
            {"sku": "A", "allowance": {"uses": 1, "every": "month"}},
            "A birthday gift is for one birthday: let its period be the year, without carry-over.",
        ),
    ],
)
def test_tells_staff_what_is_wrong_with_its_settings(settings, problem):
    with pytest.raises(kinds.BadSettings) as refused:
        kinds.check("birthday_gift", settings)
    assert refused.value.problems == [problem]


class TestInAHousehold:
    """A gift for each: by the birthday of whoever sits there, not by the payer's."""

    @pytest.fixture
    def seat(self, gift, clock):
        perk = gift(date(1990, 3, 5), seats="each")
        holder = factories.member()
        households.open_seat(membership=perk.membership, holder=holder, at=clock.now, actor="staff:1")
        return perk, holder

    def reason(self, perk, holder):
        return perk.shop.reason(perk.perk, member={"number": holder.number})

    def test_it_comes_by_the_birthday_of_the_seats_holder(self, seat, clock):
        perk, holder = seat
        assert self.reason(perk, holder) == "birthday_unknown"
        birthdays.tell(member=holder, birthday=date(2000, 8, 1), at=clock.now, actor="member:2")
        assert (self.reason(perk, holder), perk.reason()) == ("outside_window", "granted")

    def test_the_payers_use_is_not_the_holders(self, seat, clock):
        perk, holder = seat
        birthdays.tell(member=holder, birthday=date(2000, 3, 4), at=clock.now, actor="member:2")
        perk.use()
        assert (perk.reason(), self.reason(perk, holder)) == ("used_up", "granted")
