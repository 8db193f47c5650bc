"""The gateway: no call inside a transaction, errors in our words, and the real client in production."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import requests
import stripe
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction

from billing import gateway, operations
from billing.models import Operation

PRODUCTION = {
    "VIP_MODE": "production",
    "SECRET_KEY": "s" * 60,
    "BASE_URL": "https://club.example",
    "DATABASE_URL": "postgres://vip:vip@localhost:1/vip",
    "REDIS_URL": "redis://localhost:1/0",
    "STRIPE_SECRET_KEY": "sk_live_" + "x" * 24,
    "STRIPE_WEBHOOK_SECRET": "whsec_" + "x" * 24,
    "VIP_CARD_KEY": "11" * 32,
    "EMAIL_URL": "smtp://mail.example:587",
}
LOOK = """
import json, sys, django
django.setup()
from billing import gateway
from membership.urls import urlpatterns
client = gateway.client()
print(json.dumps({
    "transport": type(client._requestor._client).__module__,
    "key": client._requestor.api_key[:8],
    "emulator": sorted(m for m in sys.modules if m.startswith("billing.emulator")),
    "stripe_urls": [str(u.pattern) for u in urlpatterns if str(u.pattern) == "stripe/"],
}))
"""


class TestProduction:
    def test_uses_the_sdks_own_client_and_loads_no_emulator(self):
        environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "membership.settings", **PRODUCTION}
        look = subprocess.run(
            [sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=True, cwd=settings.ROOT
        )
        assert json.loads(look.stdout) == {
            "transport": "stripe._http_client",
            "key": "sk_live_",
            "emulator": [],
            "stripe_urls": [],
        }


@pytest.mark.django_db
class TestCall:
    def test_refuses_to_be_made_inside_a_transaction(self):
        with transaction.atomic(), pytest.raises(gateway.CallInsideTransaction):
            gateway.call(gateway.client().v1.customers.list)

    def test_tells_a_refusal_with_its_code(self):
        with pytest.raises(gateway.StripeRefused) as refusal:
            gateway.read(gateway.client().v1.customers.retrieve, "cus_unknown")
        assert gateway.is_missing(refusal.value)

    @pytest.mark.parametrize("error", [stripe.AuthenticationError, stripe.PermissionError])
    def test_takes_a_refused_key_for_no_answer(self, error, caplog):
        def refuses() -> None:
            raise error("Expired API Key provided: sk_test_********abcd")

        with pytest.raises(gateway.StripeUnavailable):
            gateway.call(refuses)
        assert "does not take our key" in caplog.text

    def test_lets_the_end_of_a_tasks_time_through(self, monkeypatch):
        def is_cut_off(*_: object, **__: object) -> None:
            raise SoftTimeLimitExceeded

        transport = stripe.RequestsClient()  # which takes whatever is raised in it for a broken connection
        monkeypatch.setattr(requests.Session, "request", is_cut_off)
        api = stripe.StripeClient("sk_test_" + "x" * 24, http_client=transport).v1
        gateway.check_account()
        with pytest.raises(SoftTimeLimitExceeded):
            gateway.call(api.customers.list)

    def test_reads_every_page_of_a_list(self):
        api = gateway.client().v1
        for number in range(5):
            api.products.create({"name": f"product {number}"})
        assert len(gateway.read_all(api.products.list, {"limit": 2})) == 5


@pytest.mark.django_db
class TestCreate:
    def test_repeated_under_its_key_makes_one_object(self):
        api = gateway.client().v1
        operation = operations.note(key="customer:7", kind="customer", params={"name": "Ada"})
        first = operations.create(api.customers.create, operation)
        # The answer was lost: the same operation, asked again, even with other parameters in mind.
        again = operations.note(key="customer:7", kind="customer", params={"name": "Somebody else"})
        assert operations.create(api.customers.create, again).id == first.id
        assert len(gateway.read_all(api.customers.list, {})) == 1
        assert Operation.objects.get().state == "done"

    def test_keeps_a_refusal(self):
        api = gateway.client().v1
        operation = operations.note(key="price:1", kind="price", params={"currency": "eur"})
        with pytest.raises(gateway.StripeRefused):
            operations.create(api.prices.create, operation)
        assert Operation.objects.get().state == "refused"


class TestUnits:
    @pytest.mark.parametrize(
        ("ours", "theirs", "currency"), [(11900, 11900, "EUR"), (980, 980, "JPY"), (980, 98000, "ISK")]
    )
    def test_differ_for_a_few_currencies_only(self, ours, theirs, currency):
        assert gateway.to_stripe(ours, currency) == theirs
        assert gateway.from_stripe(theirs, currency) == ours
