"""Canceling in the very second in which the term ends at Stripe: whoever is faster, nobody is charged."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import gateway
from billing.emulator import faults, timeline
from membership.models import Membership
from tests.billing.conftest import renews_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("behind", [0, 1], ids=["our clock is Stripe's", "our clock is a second behind"])
def test_charges_nobody(joined, clock, behind):
    ends_at = renews_at()
    clock.move_to(ends_at - timedelta(seconds=1))

    def the_term_ends() -> None:
        clock.move_to(ends_at)
        timeline.catch_up()
        clock.move(seconds=-behind)

    with faults.next_call("POST /v1/subscriptions/{id}", during=the_term_ends):
        assert joined.post("/portal/cancel/", {"promised": "runs_on"})["Location"] == "/portal/"
    clock.move(hours=3)
    timeline.catch_up()
    assert [invoice.status for invoice in gateway.client().v1.invoices.list({}).data] == ["void", "paid"]
    assert not Membership.objects.get().renewal_expected
