"""The plan from the next renewal on: what was chosen or is held is what is charged then, and what it brings."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import gateway, reconcile, sync
from billing.emulator import faults
from billing.models import PlanQuote
from membership.models import Membership, Term
from tests.billing.changing import ask, at_stripe, paid, tier, words
from tests.invariants import breached_once_worked_off

pytestmark = pytest.mark.django_db(transaction=True)
UPDATE = "POST /v1/subscriptions/{id}"


def unheard(*_: object, **__: object) -> None:
    raise gateway.StripeUnavailable


class TestAtTheRenewal:
    def test_less_is_chosen_and_nothing_else_happens_now(self, silver, clock):
        page = words(silver.get("/portal/change-plan/bronze-year/"))
        assert "€ 29" in page
        assert silver.post("/portal/change-plan/bronze-year/")["Location"] == "/portal/"
        assert (paid(), tier(clock)) == ([5900], "silver")
        assert Membership.objects.get().plan.code == "bronze-year"
        assert breached_once_worked_off() == set()

    def test_the_portal_says_the_next_plan_and_price(self, silver):
        silver.post("/portal/change-plan/bronze-year/")
        page = words(silver.get("/portal/"))
        assert "Your next payment of € 29 is on 2 March 2027" in page
        assert "From then on you hold Bronze; until then Silver." in page

    def test_it_can_be_taken_back(self, silver):
        silver.post("/portal/change-plan/bronze-year/")
        assert "Keep Silver" in words(silver.get("/portal/change-plan/"))
        silver.post("/portal/change-plan/keep/")
        assert Membership.objects.get().plan.code == "silver-year"
        assert at_stripe().items.data[0].price.unit_amount == 5900
        assert paid() == [5900]

    def test_made_in_stripes_own_dashboard_it_is_followed(self, silver, clock, webhooks):
        bronze = gateway.client().v1.prices.list({"limit": 100})
        price = next(p for p in bronze.data if p.unit_amount == 2900 and p.currency == "eur")
        item = {"id": at_stripe().items.data[0].id, "price": price.id}
        gateway.client().v1.subscriptions.update(at_stripe().id, {"items": [item], "proration_behavior": "none"})
        webhooks()
        assert (Membership.objects.get().plan.code, tier(clock)) == ("bronze-year", "silver")

    def test_without_an_answer_nothing_is_said_to_be_done(self, silver):
        with faults.next_call(UPDATE, lost="request", times=9):
            assert silver.post("/portal/change-plan/bronze-year/")["Location"] == "/portal/change-plan/"
        assert Membership.objects.get().plan.code == "silver-year"

    def test_an_answer_that_is_lost_is_looked_for(self, silver):
        with faults.next_call(UPDATE, lost="answer", times=9):
            assert silver.post("/portal/change-plan/bronze-year/")["Location"] == "/portal/"
        assert Membership.objects.get().plan.code == "bronze-year"
        assert (at_stripe().items.data[0].price.unit_amount, paid()) == (2900, [5900])

    @pytest.mark.parametrize("later", ["the night's reconcile", "the member again"])
    def test_where_looking_fails_too_it_is_found_later(self, silver, clock, monkeypatch, later):
        with faults.next_call(UPDATE, lost="answer", times=9), monkeypatch.context() as patch:
            patch.setattr(sync, "subscription", unheard)
            assert silver.post("/portal/change-plan/bronze-year/")["Location"] == "/portal/change-plan/"
        assert Membership.objects.get().plan.code == "silver-year"
        if later == "the member again":
            assert silver.post("/portal/change-plan/bronze-year/")["Location"] == "/portal/"
        else:
            reconcile.nightly(at=clock.now)
        assert Membership.objects.get().plan.code == "bronze-year"
        assert (at_stripe().items.data[0].price.unit_amount, paid()) == (2900, [5900])
        assert breached_once_worked_off() == set()


def through_the_renewal(live, mode: str = "in_order") -> None:
    """Live from here to two hours after the term's end, the notices being sent on the way."""
    ends_at = Term.objects.get().ends_at
    for moment in (ends_at - timedelta(days=34), ends_at - timedelta(days=6), ends_at + timedelta(hours=2)):
        live(moment, mode, mail=False)


class TestThroughTheRenewal:
    def test_less_chosen_is_what_the_renewal_charges_and_brings(self, silver, clock, live):
        silver.post("/portal/change-plan/bronze-year/")
        through_the_renewal(live)
        assert paid() == [5900, 2900]
        live(clock.now + timedelta(days=1), mail=False)
        assert tier(clock) == "bronze"
        assert list(Term.objects.order_by("starts_at").values_list("plan__code", flat=True)) == [
            "silver-year",
            "bronze-year",
        ]
        assert breached_once_worked_off() == set()

    def test_better_held_is_what_the_renewal_charges_and_keeps(self, silver, clock, live):
        address = ask(silver)
        silver.post(address)
        through_the_renewal(live, "shuffled")
        assert paid() == [5900, 3000, PlanQuote.objects.get().renewal] == [5900, 3000, 11900]
        assert tier(clock) == "gold"
        assert breached_once_worked_off() == set()
