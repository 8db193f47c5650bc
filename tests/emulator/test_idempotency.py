"""Idempotency keys and what goes wrong on the way."""

from __future__ import annotations

import threading

import pytest
import stripe
from django.db import connections

from billing.emulator import faults
from billing.emulator.client import InProcessClient
from billing.emulator.models import Record

ADA = {"email": "ada@example.com"}


def key(value="membership:42:checkout:3"):
    return {"idempotency_key": value}


class TestTheSameKey:
    def test_answers_the_same_again(self, api):
        first = api.customers.create(ADA, key())
        again = api.customers.create(ADA, key())

        assert again.id == first.id
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        assert api.customers.list().data[1:] == []

    def test_with_other_parameters_is_refused(self, api):
        api.customers.create(ADA, key())

        with pytest.raises(stripe.IdempotencyError, match="can only be used with the same parameters"):
            api.customers.create({"email": "bob@example.com"}, key())

    def test_is_not_spent_by_parameters_that_fail_validation(self, api):
        with pytest.raises(stripe.InvalidRequestError):
            api.customers.create({"colour": "blue"}, key())

        assert api.customers.create(ADA, key()).email == "ada@example.com"

    def test_keeps_a_refusal_of_the_endpoint(self, api, ada):
        for _ in range(2):
            with pytest.raises(stripe.CardError):
                api.payment_methods.attach("pm_card_chargeDeclined", {"customer": ada.id}, key())

    def test_in_flight_answers_409(self, api):
        refusals = []

        def rival():
            client = stripe.StripeClient("sk_test_local", http_client=InProcessClient(), max_network_retries=0)
            with pytest.raises(stripe.APIError) as refusal:
                client.v1.customers.create(
                    {"email": "ada@example.com"}, {"idempotency_key": "membership:42:checkout:3"}
                )
            refusals.append(getattr(refusal.value.error, "code", ""))

        with faults.next_call("POST /v1/customers", during=rival):
            api.customers.create(ADA, key())

        assert refusals == ["idempotency_key_in_use"]
        assert Record.objects.filter(kind="customer").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_key_from_many_threads_at_once_acts_once(db):
    ready, answers = threading.Barrier(4), []

    def caller():
        ready.wait()
        client = stripe.StripeClient("sk_test_local", http_client=InProcessClient(), max_network_retries=0)
        try:
            answers.append(client.v1.customers.create({"email": "ada@example.com"}, {"idempotency_key": "one"}).id)
        except stripe.StripeError as refusal:
            answers.append(getattr(refusal.error, "code", ""))
        connections.close_all()

    callers = [threading.Thread(target=caller) for _ in range(4)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()

    [ada] = Record.objects.filter(kind="customer")
    assert ada.stripe_id in answers
    assert set(answers) <= {ada.stripe_id, "idempotency_key_in_use"}


class TestFaults:
    def test_a_lost_answer_is_found_again_by_the_retry(self, api):
        with faults.next_call("POST /v1/customers", lost="answer"):
            ada = api.customers.create(ADA, key())

        assert [one.id for one in api.customers.list().data] == [ada.id]

    def test_a_lost_request_is_sent_again(self, api):
        with faults.next_call("POST /v1/customers", lost="request"):
            api.customers.create(ADA)

        assert len(api.customers.list().data) == 1

    def test_too_many_calls_answer_429_which_the_sdk_does_not_retry(self, api):
        with (
            faults.next_call("POST /v1/customers", status=429),
            pytest.raises(stripe.RateLimitError),
        ):
            api.customers.create(ADA)

    def test_a_failing_stripe_answers_500_and_the_sdk_retries(self, api):
        with faults.next_call("GET /v1/customers/{id}", status=500, times=2) as fault:
            ada = api.customers.create(ADA)
            assert api.customers.retrieve(ada.id).email == "ada@example.com"
        assert fault.times == 0
