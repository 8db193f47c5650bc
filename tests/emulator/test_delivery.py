"""Signed delivery, retries, and every bad order the real world knows."""

from __future__ import annotations

import pytest
import stripe

from billing.emulator import clock as stripe_clock
from billing.emulator import delivery, endpoints
from billing.emulator.models import Delivery, Record


class TestADelivery:
    def test_is_signed_with_the_secret_shown_once(self, api, seller, ada):
        seller.driver.run()  # the seller verifies
        assert seller.types()[-1] == "customer.created"
        assert "secret" not in api.webhook_endpoints.list().data[0]

    def test_carries_the_request_that_caused_it(self, api, seller):
        api.customers.create({}, {"idempotency_key": "membership:1:customer"})
        seller.driver.run()
        assert seller.arrived[0].request.idempotency_key == "membership:1:customer"

    def test_goes_only_where_it_is_wanted(self, api, ada):
        api.webhook_endpoints.create({"url": "https://shop.example/", "enabled_events": ["price.created"]})
        api.customers.create({})
        assert not Delivery.objects.exists()

    def test_is_over_when_the_answer_is_2xx(self, api, seller):
        api.customers.create({})
        seller.driver.run()
        assert delivery.due().count() == 0
        assert api.events.list({"delivery_success": True, "type": "customer.created"}).data[0].pending_webhooks == 0

    def test_is_signed_at_wall_time_though_the_world_is_elsewhere(self, api, seller, clock):
        clock.move(days=400)
        api.customers.create({})
        seller.driver.run()  # an old signature would be refused
        assert seller.types() == ["customer.created"]


class TestAFailedDelivery:
    @pytest.fixture
    def wall(self, monkeypatch):
        """Wall time that only moves when told to."""
        now = [1_800_000_000.0]
        monkeypatch.setattr(stripe_clock, "wall", lambda: now[0])
        return now

    def test_is_tried_again_ever_more_slowly_for_three_days(self, api, wall):
        api.webhook_endpoints.create({"url": "https://shop.example/", "enabled_events": ["*"]})
        api.customers.create({})
        tried = []
        while waiting := Delivery.objects.filter(state="waiting").first():
            wall[0] = waiting.due_at
            tried.append(wall[0] - waiting.first_due_at)
            delivery.deliver_due(lambda url, body, headers: 500)

        assert tried[:6] == [0, 5, 25, 105, 425, 1705]
        assert 3 * 86_400 < tried[-1] < 3.5 * 86_400
        assert Delivery.objects.get().state == "failed"

    def test_waits_when_nobody_answers(self, api, wall):
        api.webhook_endpoints.create({"url": "https://shop.example/", "enabled_events": ["*"]})
        api.customers.create({})

        def nobody(url, body, headers):
            raise ConnectionRefusedError

        assert delivery.deliver_due(nobody) == 0
        row = Delivery.objects.get()
        assert (row.tries, row.last_error, row.last_status) == (1, "ConnectionRefusedError", None)
        assert delivery.due().count() == 0

    def test_counts_a_redirect_as_failure(self, api, wall):
        api.webhook_endpoints.create({"url": "https://shop.example/", "enabled_events": ["*"]})
        api.customers.create({})
        assert delivery.deliver_due(lambda url, body, headers: 301) == 0


class TestTheDriver:
    @pytest.fixture
    def two_customers(self, api, seller):
        return [api.customers.create({"name": name}).id for name in ("Ada", "Bob", "Cleo", "Dora", "Eve")]

    def names(self, seller):
        return [event.data.object.name for event in seller.arrived]

    def test_delivers_in_order(self, seller, two_customers):
        seller.driver.run("in_order")
        assert self.names(seller) == ["Ada", "Bob", "Cleo", "Dora", "Eve"]

    def test_delivers_in_reverse(self, seller, two_customers):
        seller.driver.run("reversed")
        assert self.names(seller) == ["Eve", "Dora", "Cleo", "Bob", "Ada"]

    @pytest.mark.parametrize("mode", ["shuffled", "dropped"])
    def test_delivers_all_in_some_order_that_the_seed_decides(self, seller, two_customers, mode):
        seller.driver.run(mode, seed=3)
        assert sorted(self.names(seller)) == ["Ada", "Bob", "Cleo", "Dora", "Eve"]
        assert self.names(seller) != ["Ada", "Bob", "Cleo", "Dora", "Eve"]

    def test_delivers_twice(self, seller, two_customers):
        seller.driver.run("duplicated", seed=1)
        assert sorted(self.names(seller)) == sorted(["Ada", "Bob", "Cleo", "Dora", "Eve"] * 2)

    def test_loses_some_at_first_and_sends_them_again(self, seller, two_customers):
        seller.driver.run("dropped", seed=3)
        tries = Delivery.objects.filter(event__key="customer.created").values_list("tries", flat=True)
        assert sorted(set(tries)) == [1, 2]

    def test_can_deliver_before_the_call_has_answered(self, api, seller):
        told = []

        def post(url, body, headers):
            told.append("event")
            return 200

        seller.driver.post = post
        with seller.driver.before_answers():
            api.customers.create({})
            told.append("answer")
        assert told == ["event", "answer"]

    def test_resends_an_old_event(self, api, seller, ada):
        seller.driver.run()
        seller.driver.resend(seller.arrived[0].id)
        assert seller.arrived[0].id == seller.arrived[-1].id


class TestAnEndpoint:
    def test_signs_with_both_secrets_while_one_is_rotated_out(self, api, seller):
        webhook = Record.objects.get(kind="webhook_endpoint")
        endpoints.roll_secret(webhook, secret="whsec_new")
        header = delivery.signature("{}", endpoints.signing_secrets(webhook))

        for secret in ("whsec_new", seller.secret):
            assert stripe.WebhookSignature.verify_header("{}", header, secret, tolerance=300)

    def test_keeps_its_id_when_the_demo_starts_elsewhere(self, db):
        first = endpoints.set_webhook_endpoint(url="http://localhost:8000/hook", secret="whsec_1", events=["*"])
        again = endpoints.set_webhook_endpoint(url="http://localhost:8001/hook", secret="whsec_2", events=["*"])

        assert again.stripe_id == first.stripe_id
        assert again.data["url"] == "http://localhost:8001/hook"
        assert endpoints.signing_secrets(again) == ["whsec_2"]

    def test_can_be_changed_disabled_and_deleted(self, api):
        made = api.webhook_endpoints.create({"url": "https://a.example/", "enabled_events": ["*"]})
        changed = api.webhook_endpoints.update(made.id, {"url": "https://b.example/", "disabled": True})
        assert (changed.url, changed.status) == ("https://b.example/", "disabled")
        api.customers.create({})
        assert not Delivery.objects.exists()
        assert api.webhook_endpoints.delete(made.id).deleted
        assert api.webhook_endpoints.list().data == []


class TestAnEvent:
    def test_says_what_an_update_changed(self, api, seller, ada):
        api.customers.update(ada.id, {"name": "Ada Byron", "metadata": {"a": "1"}})
        seller.driver.run()
        changed = seller.arrived[-1]
        assert changed.type == "customer.updated"
        assert changed.data.previous_attributes.to_dict() == {"name": "Ada", "metadata": {}}

    def test_is_not_told_when_nothing_changed(self, api, seller, ada):
        api.customers.update(ada.id, {"name": "Ada"})
        seller.driver.run()
        assert "customer.updated" not in seller.types()

    def test_stays_in_the_list_and_can_be_asked_by_type(self, api, bought):
        page = api.events.list({"type": "invoice.*"})
        assert {event.type for event in page.data} == {
            "invoice.created",
            "invoice.finalized",
            "invoice.paid",
            "invoice.payment_succeeded",
        }
        assert api.events.retrieve(page.data[0].id).data.object.id == bought.invoice.id

    def test_is_dropped_with_a_call_that_failed(self, api, seller, open_session):
        before = Record.objects.filter(kind="event").count()
        with pytest.raises(stripe.InvalidRequestError):
            open_session(line_items=[{"price_data": {"currency": "eur", "product_data": {"name": "x"}}}])
        assert Record.objects.filter(kind="event").count() == before
