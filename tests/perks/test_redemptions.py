"""Redemptions through the door: held, committed, and known to the very next check."""

from tests.perks.conftest import basket


def number(membership):
    return {"number": membership.member.number}


class TestAHold:
    def test_of_an_unlimited_perk_is_committed_with_its_worth(self, shop, joined):
        check = shop.check(member=number(joined()), basket=basket(), perks=["free-shipping"])
        held = shop.hold(check, "free-shipping")
        assert (held["status"], held["perks"][0]["worth"], held["order"]) == ("held", 495, "1001")
        committed = shop.commit(held)
        assert (committed["status"], committed["perks"][0]["status"]) == ("committed", "committed")
        assert shop.call("GET", f"/redemptions/{held['id']}").json() == committed

    def test_of_a_limited_perk_takes_a_use_that_the_next_check_knows(self, shop, joined):
        asked = {"member": number(joined()), "perks": ["concierge"]}
        held = shop.hold(shop.check(**asked), "concierge")
        assert shop.check(**asked)["decisions"][0]["uses_left"] == 11
        shop.commit(held)
        assert shop.check(**asked)["decisions"][0]["uses_left"] == 11
