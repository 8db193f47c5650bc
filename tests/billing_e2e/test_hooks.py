"""The product's hooks for billing-e2e, and the checks of our scenarios: right ones pass, wrong ones do not."""

from __future__ import annotations

import calendar
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.db.models import F

from billing import gateway, setup
from billing.models import Payment, StripePrice
from membership import clock as product_clock
from membership import lifecycle, standing
from membership.models import Membership
from perks import keys
from perks.models import Ref
from tests import factories
from tests.billing_e2e import __main__ as runner
from tests.billing_e2e import ask, teardown

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))


@pytest.fixture
def stripe(db, clock):
    """Gold by the year is on sale."""
    factories.plan("gold-year")
    list(setup.prepare(gateway.client()))
    return gateway.client().v1


@pytest.fixture
def customer(stripe, monkeypatch):
    """A customer with a card, as a scenario makes one before its hooks run."""
    made = stripe.customers.create({"email": "billing-e2e+abc@example.com", "payment_method": "pm_card_visa"})
    card = stripe.payment_methods.list({"customer": made.id}).data[0].id
    stripe.customers.update(made.id, {"invoice_settings": {"default_payment_method": card}})
    for name, value in {"RUN": "abc", "CUSTOMER": made.id, "CUSTOMER_EMAIL": made.email}.items():
        monkeypatch.setenv(f"BILLING_E2E_{name}", value)
    return made


@pytest.fixture
def linked(stripe, customer, monkeypatch):
    """What `setup` and `link` make of a subscription through the API."""
    keys.create(shop_name="Till", scopes=["perks:check"], at=product_clock.now(), actor="system")
    call_command("billing_e2e", "setup")
    bought = StripePrice.objects.get(price__currency="EUR").stripe_id
    made = stripe.subscriptions.create({"customer": customer.id, "items": [{"price": bought}]})
    monkeypatch.setenv("BILLING_E2E_SUBSCRIPTION", made.id)
    call_command("billing_e2e", "link")
    return made


def the_membership():
    return Membership.objects.with_facts().get()


class TestTheHooks:
    def test_make_the_customer_a_member_with_what_was_paid_for(self, linked):
        membership = the_membership()
        assert standing.at(membership, product_clock.now()) == "current"
        end = ask.first_midnight_after(ask.later(linked.start_date, "1 year"))
        assert membership.entitled_until == end

    def test_let_every_shop_ask_by_the_name_of_the_run(self, linked):
        assert Ref.objects.get(customer_ref="abc").member == the_membership().member

    def test_end_it_when_the_scenario_is_over(self, linked, stripe):
        call_command("billing_e2e", "teardown")
        assert the_membership().status == "ended"
        assert stripe.subscriptions.retrieve(linked.id).status == "canceled"

    def test_say_what_is_missing(self, db):
        with pytest.raises(CommandError, match="BILLING_E2E_CUSTOMER_EMAIL is not set"):
            call_command("billing_e2e", "setup")

    def test_are_not_for_production(self, db, settings):
        settings.PRODUCTION = True
        with pytest.raises(CommandError, match="not played in production"):
            call_command("billing_e2e", "setup")


class TestTheEndOfAScenario:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch):
        monkeypatch.setattr(teardown, "SOUND", 0.0)
        monkeypatch.setattr(teardown, "_unheard", list)

    def test_is_sound_beside_customers_of_former_ones_who_are_gone(self, linked, capsys):
        gone = factories.member("Gone")
        Payment.objects.create(
            membership=lifecycle.reserve(
                member=gone, plan=the_membership().plan, currency="EUR", at=product_clock.now(), actor="system"
            ),
            stripe_id="ch_gone", intent_id="pi_gone", currency="EUR", captured=1, paid_at=product_clock.now(),
            read_at=product_clock.wall(),
        )  # fmt: skip

        assert teardown.main() == 0, capsys.readouterr().out

    def test_is_not_when_a_cent_of_its_own_is_missing(self, linked, capsys):
        Payment.objects.update(captured=F("captured") - 1)

        assert teardown.main() == 1
        assert "I7: ch_" in capsys.readouterr().out
        assert Membership.objects.get().status == "ended"

    def test_is_not_when_a_live_subscription_is_dead_at_stripe(self, linked, stripe, capsys):
        stripe.subscriptions.cancel(linked.id)

        assert teardown.main() == 1
        assert f"I8: {linked.id} is canceled at Stripe" in capsys.readouterr().out

    def test_is_not_while_events_wait(self, linked, monkeypatch):
        monkeypatch.setattr(teardown, "QUIET", 0.0)
        monkeypatch.setattr(teardown, "_unheard", lambda: ["not delivered: invoice.paid"])

        assert teardown.main() == 1


class TestAsking:
    UNTIL = datetime(2027, 11, 22, 23, tzinfo=UTC)  # midnight in Amsterdam
    STOOD = ("standing=current", "until=1 year")

    @pytest.fixture(autouse=True)
    def answers(self, monkeypatch):
        monkeypatch.setattr(ask, "_start", lambda: calendar.timegm((2026, 11, 22, 5, 0, 0)))
        monkeypatch.setattr(ask, "_member", lambda: {"standing": "current", "entitled_until": self.UNTIL.isoformat()})

    def test_is_content_with_what_is_so(self):
        assert ask.main(*self.STOOD) == 0

    @pytest.mark.parametrize("wrong", ["standing=lapsed", "until=2 years", "until=none", "until=364 days"])
    def test_is_not_with_anything_else(self, wrong):
        name = wrong.partition("=")[0]
        assert ask.main(*(one for one in self.STOOD if not one.startswith(name)), wrong) == 1

    @pytest.mark.parametrize("name", ["standing", "until"])
    def test_turned_wrong_says_no(self, name):
        assert ask.main(*self.STOOD, f"but={name}") == 1

    def test_says_that_nobody_answered(self, monkeypatch):
        monkeypatch.undo()
        monkeypatch.setenv("BILLING_E2E_RUN", "abc")
        monkeypatch.setenv("VIP_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("VIP_API_KEY", "none")
        assert ask.main(*self.STOOD) == 2

    @pytest.mark.parametrize(
        ("start", "words", "day"),
        [
            ((2028, 2, 29, 12, 0, 0), "1 year", (2029, 2, 28)),
            ((2028, 2, 29, 12, 0, 0), "4 years", (2032, 2, 29)),
            ((2026, 11, 22, 5, 0, 0), "30 days + 1 year", (2027, 12, 22)),
        ],
    )
    def test_counts_as_the_calendar_does(self, start, words, day):
        assert (ask.later(calendar.timegm(start), words)).timetuple()[:3] == day


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_of_ours_asks_and_each_answer_is_doubted(path):
    scenario = yaml.safe_load(path.read_text(encoding="utf-8"))
    asked = json.dumps(scenario).count("standing=") + json.dumps(scenario).count("until=")
    doubted = runner._doubted(scenario)
    assert asked >= 2
    assert json.dumps(doubted).count("test $? -eq 1") == asked


def test_there_are_six_yearly_scenarios_at_least():
    assert len(SCENARIOS) >= 6
