"""Test clocks: a time of their own for some customers, beside the world's."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

import pytest
import stripe

from billing.emulator import periods, store, timeline
from tests.emulator.conftest import make_price

DAY = 86_400
START = calendar.timegm((2028, 2, 29, 12, 0, 0))


@pytest.fixture
def at_once(settings):
    settings.LOCAL_STRIPE = settings.LOCAL_STRIPE | {"SECONDS_TO_ADVANCE": 0}


@pytest.fixture
def slowly(settings):
    """An advance takes an hour."""
    settings.LOCAL_STRIPE = settings.LOCAL_STRIPE | {"SECONDS_TO_ADVANCE": 3600}


@pytest.fixture
def ticking(api):
    return api.test_helpers.test_clocks.create({"frozen_time": START, "name": "Leap"})


@pytest.fixture
def bob(api, ticking):
    """A customer on the clock, with a card."""
    made = api.customers.create({"email": "bob@example.com", "test_clock": ticking.id})
    card = api.payment_methods.attach("pm_card_visa", {"customer": made.id})
    return api.customers.update(made.id, {"invoice_settings": {"default_payment_method": card.id}})


@pytest.fixture
def advance(api, ticking):
    def work(to):
        api.test_helpers.test_clocks.advance(ticking.id, {"frozen_time": to})
        return api.test_helpers.test_clocks.retrieve(ticking.id)

    return work


def subscribe(api, customer, price, **more):
    return api.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}], **more})


class TestACustomerOnAClock:
    def test_subscribes_at_the_clocks_time(self, api, bob, gold, ticking):
        made = subscribe(api, bob, gold, expand=["latest_invoice"])
        assert (made.created, made.test_clock) == (START, ticking.id)
        assert (made.latest_invoice.created, made.latest_invoice.test_clock) == (START, ticking.id)
        assert made.latest_invoice.status_transitions.paid_at == START

    def test_tells_of_it_in_the_worlds_time(self, api, bob, gold, clock):
        subscribe(api, bob, gold)
        now = int(clock.now.timestamp())
        assert {event.created for event in api.events.list().data} == {now}
        assert [charge.created for charge in api.charges.list().data] == [now]

    def test_renews_when_the_clock_is_advanced(self, api, bob, gold, advance, at_once):
        made = subscribe(api, bob, gold)
        for year in (2029, 2030, 2031, 2032):
            advance(calendar.timegm((year, 3, 1, 0, 0, 0)))
        days = [datetime.fromtimestamp(one.created, UTC) for one in api.invoices.list().data]
        assert [(day.month, day.day) for day in days] == [(2, 29), (2, 28), (2, 28), (2, 28), (2, 29)]
        end = api.subscriptions.retrieve(made.id).items.data[0].current_period_end
        assert end == calendar.timegm((2033, 2, 28, 12, 0, 0))

    def test_does_not_renew_with_the_world(self, api, bob, clock):
        subscribe(api, bob, make_price(api, "A week", 500, interval="week"))
        clock.move(days=20)
        assert len(api.invoices.list().data) == 1

    def test_leaves_the_world_alone_when_it_renews(self, api, bob, gold, bought, advance, at_once):
        subscribe(api, bob, gold)
        advance(START + 400 * DAY)
        assert len(api.invoices.list({"customer": bob.id}).data) == 2
        assert len(api.invoices.list({"subscription": bought.subscription.id}).data) == 1

    def test_is_listed_only_when_its_clock_is_named(self, api, ada, bob, gold, ticking):
        made = subscribe(api, bob, gold)
        assert [one.id for one in api.customers.list().data] == [ada.id]
        assert [one.id for one in api.customers.list({"test_clock": ticking.id}).data] == [bob.id]
        assert api.subscriptions.list().data == []
        assert [one.id for one in api.subscriptions.list({"test_clock": ticking.id}).data] == [made.id]
        assert [one.id for one in api.subscriptions.list({"customer": bob.id}).data] == [made.id]

    def test_goes_with_its_clock(self, api, bob, gold, ticking):
        subscribe(api, bob, gold)
        assert api.test_helpers.test_clocks.delete(ticking.id).deleted
        assert api.customers.retrieve(bob.id).deleted
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            api.test_helpers.test_clocks.retrieve(ticking.id)
        assert refusal.value.code == "resource_missing"

    def test_pays_on_the_hosted_page_at_the_clocks_time(self, api, bob, open_session, pay):
        session = open_session(customer=bob.id)
        assert session.created == START
        pay(session)
        assert api.subscriptions.list({"customer": bob.id}).data[0].start_date == START


class TestAdvancing:
    def test_takes_a_while(self, api, ticking, slowly, advance):
        going = advance(START + DAY)
        assert (going.status, going.frozen_time) == ("advancing", START)
        assert going.status_details.advancing.target_frozen_time == START + DAY

    def test_refuses_writes_meanwhile(self, api, bob, gold, slowly, advance):
        made = subscribe(api, bob, gold)
        going = advance(START + 370 * DAY)
        words = f"Test clock advancement underway - cannot perform modifications: {going.id}"
        for write in (
            lambda: api.subscriptions.update(made.id, {"cancel_at_period_end": True}),
            lambda: api.customers.update(bob.id, {"name": "Bob"}),
            lambda: subscribe(api, bob, gold),
            lambda: api.test_helpers.test_clocks.advance(going.id, {"frozen_time": START + 371 * DAY}),
        ):
            with pytest.raises(stripe.RateLimitError, match=words) as refusal:
                write()
            assert refusal.value.http_status == 429
        assert len(api.invoices.list({"customer": bob.id}).data) == 2  # what was due has happened, and can be read

    def test_leaves_others_free(self, api, ada, slowly, advance):
        advance(START + DAY)
        assert api.customers.update(ada.id, {"name": "Ada B."}).name == "Ada B."

    def test_does_not_spend_the_idempotency_key_of_a_refused_write(self, api, bob, advance, settings, slowly, ticking):
        advance(START + DAY)
        key = {"idempotency_key": "later"}
        with pytest.raises(stripe.RateLimitError):
            api.customers.update(bob.id, {"name": "Bob"}, key)
        ready(api, ticking)
        assert api.customers.update(bob.id, {"name": "Bob"}, key).name == "Bob"

    def test_tells_of_itself(self, api, at_once, advance):
        advance(START + DAY)
        told = [event.type for event in api.events.list().data]
        assert told == [f"test_helpers.test_clock.{status}" for status in ("ready", "advancing", "created")]

    def test_is_not_cut_short_by_whoever_was_still_busy_with_the_last_one(self, api, ticking, advance, monkeypatch):
        """Two processes make a clock ready; meanwhile the faster one's caller has advanced it again."""
        settled = timeline.run
        going = iter([START + DAY, None])

        def slow(*, until, test_clock=""):
            if test_clock and (target := next(going)):
                faster(ticking, frozen_time=target)
                faster(ticking, target=target + DAY)
            return settled(until=until, test_clock=test_clock)

        monkeypatch.setattr(timeline, "run", slow)
        going_on = advance(START + DAY)
        assert (going_on.status, going_on.status_details.advancing.target_frozen_time) == ("advancing", START + 2 * DAY)

    def test_never_goes_back(self, api, advance):
        with pytest.raises(stripe.InvalidRequestError, match="after its current"):
            advance(START)

    @pytest.mark.parametrize(("interval", "furthest"), [("", 2), ("year", 2), ("month", None)])
    def test_goes_two_intervals_or_two_years_at_most(self, api, bob, advance, at_once, interval, furthest):
        if interval:
            subscribe(api, bob, make_price(api, "It", 1000, interval=interval))
        most = periods.after(START, "year", furthest) if furthest else periods.after(START, "month", 2)
        with pytest.raises(stripe.InvalidRequestError, match="two intervals"):
            advance(most + 1)
        assert advance(most).frozen_time == most


def faster(ticking, *, frozen_time=None, target=None):
    """What another process does to the clock meanwhile."""
    record = store.get("test_helpers.test_clock", ticking.id)
    if frozen_time:
        record.data |= {"frozen_time": frozen_time, "status": "ready", "status_details": {}}
    else:
        details = {"advancing": {"target_frozen_time": target}}
        record.data |= {"status": "advancing", "status_details": details}
    record.key = record.data["status"]
    record.hidden["ready_at"] = 0
    store.save(record)


def ready(api, ticking):
    """As if the hour were over."""
    record = store.get("test_helpers.test_clock", ticking.id)
    record.hidden["ready_at"] = 0
    store.save(record)
    api.test_helpers.test_clocks.retrieve(ticking.id)


def test_a_clock_has_three_customers_of_three_subscriptions(api, bob, gold, ticking):
    for _ in range(2):
        api.customers.create({"test_clock": ticking.id})
    with pytest.raises(stripe.InvalidRequestError, match="3 customers"):
        api.customers.create({"test_clock": ticking.id})
    for _ in range(3):
        subscribe(api, bob, gold)
    with pytest.raises(stripe.InvalidRequestError, match="3 subscriptions"):
        subscribe(api, bob, gold)


def test_a_clock_is_deleted_after_thirty_days(api, bob, ticking, clock):
    clock.move(days=31)
    assert api.test_helpers.test_clocks.list().data == []
    assert api.customers.retrieve(bob.id).deleted
