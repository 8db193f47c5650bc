"""The HTTP door and the commands: what another process sees."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import stripe
from django.core.management import call_command
from django.test import Client

from billing.emulator import endpoints, faults
from billing.emulator.models import Delivery, Record

KEY = {"HTTP_AUTHORIZATION": "Bearer sk_test_local"}


class TestTheDoor:
    def test_serves_the_sdk_over_a_socket(self, live_server):
        client = stripe.StripeClient("sk_test_local", base_addresses={"api": live_server.url + "/stripe"}).v1

        made = client.customers.create({"email": "ada@example.com", "metadata": {"a": "1"}})

        assert client.customers.list({"email": "ada@example.com"}).data[0].id == made.id
        with pytest.raises(stripe.InvalidRequestError, match="No such price"):
            client.prices.retrieve("price_0")

    def test_answers_401_without_a_key(self, client, db):
        answer = client.get("/stripe/v1/customers")
        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "invalid_request_error"

    def test_refuses_a_live_key(self, client, db):
        answer = client.get("/stripe/v1/customers", HTTP_AUTHORIZATION="Bearer sk_live_secret")
        assert answer.status_code == 401
        assert "sk_live_secret" not in answer.content.decode()

    def test_takes_the_key_as_curl_sends_it(self, client, db):
        answer = client.get("/stripe/v1/account", HTTP_AUTHORIZATION="Basic c2tfdGVzdF9sb2NhbDo=")
        assert answer.json()["object"] == "account"

    def test_needs_no_csrf_token(self, db):
        browser = Client(enforce_csrf_checks=True)
        answer = browser.post(
            "/stripe/v1/customers",
            "email=a@example.com",
            content_type="application/x-www-form-urlencoded",
            headers={"Authorization": "Bearer sk_test_local"},
        )
        assert answer.json()["email"] == "a@example.com"

    def test_answers_404_in_stripes_shape(self, client, db):
        answer = client.get("/stripe/v1/wishes", **KEY)
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == "Unrecognized request URL (GET: /v1/wishes)."

    def test_says_nothing_when_the_connection_breaks(self, client, db):
        with faults.next_call("GET /v1/customers", lost="request"):
            assert client.get("/stripe/v1/customers", **KEY).status_code == 502


class TestTheProcess:
    @pytest.fixture
    def shop(self):
        """A web server that takes webhooks."""
        arrived = []

        class Shop(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                arrived.append((body, self.headers["Stripe-Signature"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args):
                pass

        server = HTTPServer(("127.0.0.1", 0), Shop)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", arrived
        server.shutdown()
        thread.join()
        server.server_close()

    def test_delivers_over_the_network_with_a_real_signature(self, api, shop):
        url, arrived = shop
        call_command("local_stripe_boot", "--url", url, "--secret", "whsec_demo")
        made = api.customers.create({"email": "ada@example.com"})

        call_command("local_stripe", "--once")

        [(body, header)] = arrived
        event = stripe.Webhook.construct_event(body, header, "whsec_demo")
        assert (event.type, event.data.object.id) == ("customer.created", made.id)
        assert json.loads(body)["api_version"] == stripe.api_version
        assert Delivery.objects.get().state == "delivered"

    def test_lets_time_pass(self, open_session, clock):
        session = open_session()
        clock.move(days=2)

        call_command("local_stripe", "--once")

        assert Record.objects.get(stripe_id=session.id).data["status"] == "expired"

    def test_boots_again_without_a_second_endpoint(self, db):
        for port in (8000, 8001):
            call_command("local_stripe_boot", "--url", f"http://localhost:{port}/", "--secret", f"whsec_{port}")
        [webhook] = Record.objects.filter(kind="webhook_endpoint")
        assert webhook.data["url"] == "http://localhost:8001/"
        assert endpoints.signing_secrets(webhook) == ["whsec_8001"]
