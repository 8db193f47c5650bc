"""Sales: when one opens for whom. Nobody a second early, whatever is asked: the sale, the perk check, the letter."""

from datetime import timedelta

import pytest

from membership import households, lifecycle
from perks import fresh
from perks.models import Perk, Sale, TierPerk
from tests import factories
from tests.perks.conftest import basket, number

SALE = "winter-sale"
LINE = {"id": "1", "sku": "KNIT-7", "quantity": 1, "unit_amount": 5900, "sale": SALE}


@pytest.fixture
def sale(laurel):
    """Opens to the public at 22:00 UTC on 3 March, 36 hours from now: to silver in 12, to gold 12 ago."""
    return Sale.objects.get(code=SALE)


def told(shop, membership=None, **headers):
    query = f"?member={membership.member.number}" if membership else ""
    response = shop.call("GET", f"/sales/{SALE}{query}", **headers)
    assert response.status_code == 200, response.content
    return response.json()


def when(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class TestOpening:
    @pytest.mark.parametrize(("plan", "hours"), [("silver-year", 24), ("gold-year", 48)])
    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Europe/Amsterdam", "Asia/Kathmandu", "Pacific/Niue"])
    def test_is_the_same_instant_in_every_zone_and_not_a_second_sooner(
        self, shop, sale, joined, clock, plan, hours, zone
    ):
        opens_at = sale.opens_at - timedelta(hours=hours)
        clock.move_to(opens_at - timedelta(days=1))
        membership = joined(plan, member=factories.member(time_zone=zone))
        asked = {"member": number(membership), "basket": basket(lines=[LINE]), "perks": ["early-access"]}
        clock.move_to(opens_at - timedelta(seconds=1))
        assert not told(shop, membership)["open"]
        closed = shop.check(**asked)
        (no,) = closed["decisions"]
        assert (no["allowed"], no["reason"], no["opens_at"]) == (False, "not_open_yet", when(opens_at))
        assert closed["valid_until"] == when(opens_at)
        clock.move(seconds=1)
        assert told(shop, membership)["open"]
        (yes,) = shop.check(**asked)["decisions"]
        assert (yes["allowed"], yes["opens_at"]) == (True, when(opens_at))

    def test_for_the_public_is_that_of_the_sale(self, shop, sale, clock):
        clock.move_to(sale.opens_at - timedelta(seconds=1))
        assert not told(shop)["open"]
        clock.move(seconds=1)
        assert told(shop)["open"]
        clock.move_to(sale.closes_at)
        assert not told(shop)["open"]

    def test_is_told_for_member_tier_and_public(self, shop, sale, joined):
        assert told(shop, joined("silver-year")) == {
            "sale": SALE,
            "name": "Winter sale",
            "opens_at": "2026-03-03T22:00:00Z",
            "closes_at": "2026-03-24T22:00:00Z",
            "tiers": {"silver": "2026-03-02T22:00:00Z", "gold": "2026-03-01T22:00:00Z"},
            "member_tier": "silver",
            "tier_opens_at": "2026-03-02T22:00:00Z",
            "member_opens_at": "2026-03-02T22:00:00Z",
            "open": False,
        }
        bronze = told(shop, joined("bronze-year"))
        assert bronze["tier_opens_at"] == bronze["member_opens_at"] == bronze["opens_at"]
        assert (told(shop)["member_tier"], told(shop)["member_opens_at"]) == (None, None)

    def test_is_as_it_was_sold_also_when_the_catalogue_gives_less_now(self, shop, sale, joined):
        membership = joined("gold-year")
        TierPerk.objects.filter(tier__code="gold", perk__code="early-access").update(settings={"hours": 1})
        mine = told(shop, membership)
        assert (mine["tier_opens_at"], mine["member_opens_at"]) == ("2026-03-03T21:00:00Z", "2026-03-02T10:00:00Z")

    def test_is_the_publics_for_a_membership_that_is_over_before(self, shop, sale, joined, clock):
        membership = joined("silver-year")
        lifecycle.end(membership=membership, reason="refunded", at=clock.now, actor="staff:1")
        assert told(shop, membership)["member_opens_at"] == when(sale.opens_at)

    def test_is_when_a_pause_is_over_for_who_rests(self, shop, sale, joined, clock):
        membership = joined("gold-year")
        until = clock.now + timedelta(hours=6)
        lifecycle.pause(membership=membership, until=until, at=clock.now, actor="member:1")
        mine = told(shop, membership)
        (pause,) = membership.pauses.all()
        assert (mine["open"], mine["member_opens_at"]) == (False, when(min(pause.ends_at, sale.opens_at)))

    @pytest.mark.parametrize(("rule", "early"), [("keep", True), ("stop", False)])
    def test_in_grace_is_early_only_where_the_perk_goes_on(self, shop, sale, joined, clock, rule, early):
        Perk.objects.filter(code="early-access").update(settings={"hours": 24, "in_grace": rule})
        membership = joined("silver-year")
        clock.move(days=368)
        Sale.objects.update(opens_at=clock.now + timedelta(hours=12), closes_at=clock.now + timedelta(days=9))
        fresh.forget_all()
        mine = told(shop, membership)
        assert mine["open"] == early
        assert (mine["member_opens_at"] < mine["opens_at"]) == early
        expected = "granted" if early else "payment_overdue"
        assert shop.reason("early-access", member=number(membership), basket=basket(lines=[LINE])) == expected

    def test_after_a_renewal_to_come_is_told_as_if_it_were_paid_until_it_is_overdue(self, shop, sale, joined, clock):
        membership = joined("silver-month")
        public = clock.now + timedelta(days=60)
        Sale.objects.update(opens_at=public, closes_at=public + timedelta(days=9))
        fresh.forget_all()
        early = when(public - timedelta(hours=24))
        asked = {"member": number(membership), "basket": basket(lines=[LINE]), "perks": ["early-access"]}
        assert told(shop, membership)["member_opens_at"] == shop.check(**asked)["decisions"][0]["opens_at"] == early
        (term,) = membership.terms.all()
        clock.move_to(term.ends_at + timedelta(days=2))
        assert told(shop, membership)["member_opens_at"] == when(public)
        ref = {"source": "paid", "source_ref": "in_next", "plan": membership.plan, "at": clock.now, "actor": "stripe"}
        lifecycle.add_term(membership=membership, **ref)
        clock.move_to(public - timedelta(hours=25))
        assert told(shop, membership)["member_opens_at"] == early

    def test_after_a_renewal_that_will_not_come_is_the_publics(self, shop, sale, joined, clock):
        membership = joined("silver-month")
        public = clock.now + timedelta(days=60)
        Sale.objects.update(opens_at=public, closes_at=public + timedelta(days=9))
        fresh.forget_all()
        lifecycle.cancel(membership=membership, at=clock.now, actor="member:1")
        assert told(shop, membership)["member_opens_at"] == when(public)
        assert not told(shop, membership, X_Member_Clock=(public - timedelta(hours=1)).isoformat())["open"]

    def test_of_a_seat_is_that_of_its_household(self, shop, sale, joined, clock):
        membership, holder = joined("gold-year"), factories.member()
        households.open_seat(membership=membership, holder=holder, at=clock.now, actor="staff:1")
        assert shop.call("GET", f"/sales/{SALE}?member={holder.number}").json()["open"]

    def test_of_no_sale_or_no_member_is_not_found(self, shop, sale):
        assert shop.call("GET", "/sales/summer-sale").json()["code"] == "unknown_sale"
        assert shop.call("GET", f"/sales/{SALE}?member=1").json()["code"] == "unknown_member"

    @pytest.mark.parametrize("plan", ["bronze-year", "silver-year", "gold-year"])
    def test_is_the_same_in_the_sale_and_in_the_check_at_every_hour(self, shop, sale, joined, clock, plan):
        membership = joined(plan)
        start = clock.now
        for hour in range(-2, 60, 3):
            then = (start + timedelta(hours=hour)).isoformat()
            question = {"member": number(membership), "basket": basket(lines=[LINE]), "perks": ["early-access"]}
            (decision,) = shop.call("POST", "/perk-checks", question, X_Member_Clock=then).json()["decisions"]
            mine = told(shop, membership, X_Member_Clock=then)
            early = decision["reason"] == "granted"
            assert mine["open"] == (early or start + timedelta(hours=hour) >= sale.opens_at)
