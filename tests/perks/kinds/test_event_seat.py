"""Event seats: twelve places are twelve places, whoever asks, and a check that knows too little takes nobody's."""

from datetime import timedelta

import pytest

from perks import events, fresh
from perks.models import Event, Redemption
from tests.invariants import without_constraint
from tests.perks.conftest import basket, number

SEAT = {"seat": {"en": "A seat at our workshops"}}


def at_the(event):
    return basket(lines=[{"id": "1", "sku": event, "quantity": 1, "unit_amount": 0}])


@pytest.fixture
def workshop(laurel, clock):
    def plan(places=1, **dates):
        at = clock.now
        Event.objects.all().delete()
        made = Event.objects.create(
            **{
                "code": "dyeing",
                "names": {"en": "Dyeing"},
                "places": places,
                "booking_opens_at": at - timedelta(days=1),
                "booking_closes_at": at + timedelta(hours=9),
                "starts_at": at + timedelta(days=2),
                **dates,
            }
        )
        fresh.forget_all()
        return made

    return plan


def book(shop, membership):
    """A check for a seat of the demo's gold, and the answer to the hold on it."""
    check = shop.check(member=number(membership), perks=["workshops"], basket=at_the("dyeing"))
    return check["decisions"][0], lambda: shop.ask_to_hold(check, "workshops", order=f"of {membership.pk}")


class TestTheAnswer:
    def test_names_the_event_and_holds_until_booking_closes(self, sold, workshop, clock):
        perk = sold("event_seat", SEAT)
        workshop()
        for asked in (None, at_the("dyeing")):
            decision = perk.decision(asked)
            assert decision["effect"] == {"target": "service", "event": "dyeing"}
            assert decision["message"] == "A seat at our workshops: included."
            assert decision["valid_until"] == (clock.now + timedelta(hours=9)).isoformat().replace("+00:00", "Z")

    @pytest.mark.parametrize(
        ("settings", "dates", "asked", "expected"),
        [
            ({}, {}, at_the("pottery"), "nothing_eligible"),
            ({"events": ["pottery"]}, {}, at_the("dyeing"), "nothing_eligible"),
            ({"events": ["pottery"]}, {}, None, "nothing_eligible"),
            ({}, {"booking_opens_at": timedelta(hours=1)}, at_the("dyeing"), "not_open_yet"),
            ({}, {"booking_closes_at": timedelta()}, at_the("dyeing"), "closed"),
            ({}, {"published": False}, at_the("dyeing"), "nothing_eligible"),
        ],
    )
    def test_says_why_not(self, sold, workshop, clock, settings, dates, asked, expected):
        perk = sold("event_seat", {**SEAT, **settings})
        workshop(**{k: clock.now + v if isinstance(v, timedelta) else v for k, v in dates.items()})
        assert perk.reason(asked) == expected

    def test_counts_its_allowance(self, sold, workshop):
        perk = sold("event_seat", {**SEAT, "allowance": {"uses": 1, "every": "year"}})
        workshop(places=9)
        perk.use(at_the("dyeing"))
        assert perk.reason(at_the("dyeing")) == "used_up"
        assert perk.portal()["words"] == "A seat at our workshops, once a calendar year"


class TestPlaces:
    def test_are_full_once_all_are_taken_and_free_again_when_one_is_given_back(self, shop, joined, workshop):
        workshop()
        ada, bob = joined("gold-year"), joined("gold-year")
        _, hold = book(shop, ada)
        held = hold().json()
        fresh.forget_all()  # a check knows of it a second later
        decision, _ = book(shop, bob)
        assert (decision["reason"], decision["message"]) == ("full", "No place is left.")
        assert shop.call("POST", f"/redemptions/{held['id']}/release").status_code == 200
        fresh.forget_all()
        assert book(shop, bob)[0]["reason"] == "granted"

    def test_go_to_whoever_holds_first_where_two_were_told_yes(self, shop, joined, workshop):
        workshop()
        (_, first), (_, second) = book(shop, joined("gold-year")), book(shop, joined("gold-year"))
        assert first().status_code == 200
        refused = second()
        assert (refused.status_code, refused.json()["code"]) == (409, "full")

    def test_come_back_when_a_hold_runs_out_with_no_job_run(self, shop, joined, workshop, clock):
        workshop()
        book(shop, joined("gold-year"))[1]()
        bob = joined("gold-year")
        clock.move(minutes=31)
        fresh.forget_all()
        decision, hold = book(shop, bob)
        assert (decision["reason"], hold().status_code) == ("granted", 200)


@pytest.mark.django_db(transaction=True)
class TestTwoWhoSeeTheSamePlaceFree:
    """What one transaction does not see of the other: both think that place 1 is free."""

    def race(self, shop, joined, workshop, monkeypatch):
        workshop(places=2)
        holds = [book(shop, joined("gold-year"))[1] for _ in range(2)]
        real, blind = events.seat, []

        def sees_nothing_at_first(use, *, waited):
            if use.member_id not in blind:
                blind.append(use.member_id)
                use.place, use.capacity = 1, 2
            else:
                real(use, waited=waited)

        monkeypatch.setattr(events, "seat", sees_nothing_at_first)
        assert [hold().status_code for hold in holds] == [200, 200]
        return sorted(Redemption.objects.values_list("place", flat=True))

    def test_get_two(self, shop, joined, workshop, monkeypatch):
        assert self.race(shop, joined, workshop, monkeypatch) == [1, 2]

    def test_would_get_the_same_one_without_the_constraint(self, shop, joined, workshop, monkeypatch):
        with without_constraint(Redemption, "one_live_redemption_per_place"):
            assert self.race(shop, joined, workshop, monkeypatch) == [1, 1]


def test_a_place_of_an_event_that_is_gone_is_not_given(shop, joined, workshop):
    event = workshop()
    _, hold = book(shop, joined("gold-year"))
    event.delete()
    assert hold().json()["code"] == "full"
