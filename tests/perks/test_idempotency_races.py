"""The same request twice at once: one redemption, one answer. The key's row alone decides, and here is what it keeps
away."""

from __future__ import annotations

import threading

import pytest
from django.test import Client

from perks import holding, idempotency
from perks.models import KeptAnswer, Redemption
from tests.billing.test_races import at_once
from tests.invariants import without_constraint
from tests.perks.conftest import Shop
from tests.perks.redeeming import asked

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def twice(shop, two_uses, monkeypatch):
    """Hold under one key from two tills, neither of which finds an answer yet. -> their answers"""
    meeting = threading.Barrier(2)
    kept = idempotency.kept

    def both_look_first(request, *, at):
        told = kept(request, at=at)
        meeting.wait(20)
        return told

    monkeypatch.setattr(holding.idempotency, "kept", both_look_first)

    def hold():
        check = shop.check(**asked(two_uses))
        tills = [Shop(Client(), shop.key) for _ in range(2)]
        return at_once(*[lambda till=till: till.ask_to_hold(check, "concierge", key="order-1") for till in tills])

    return hold


def test_make_one_redemption_and_get_one_answer(twice):
    first, second = twice()
    assert (first.status_code, first.content) == (200, second.content)
    assert Redemption.objects.count() == KeptAnswer.objects.count() == 1


def test_without_the_keys_row_the_second_is_refused_what_it_has(twice):
    with without_constraint(KeptAnswer, "one_answer_per_idempotency_key"):
        answers = sorted(response.status_code for response in twice())
    assert answers == [200, 409]
