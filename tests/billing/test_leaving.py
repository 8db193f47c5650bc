"""Canceling and staying: Stripe and the membership agree, and the page says what it means."""

from __future__ import annotations

import pytest

from billing import gateway
from billing.emulator import faults
from billing.models import Subscription
from membership.models import Membership
from tests.billing.conftest import come_back, go_to_pay, pay

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def joined(visitor):
    pay(go_to_pay(visitor))
    come_back(visitor)
    return visitor


def at_stripe() -> bool:
    subscription = gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id)
    return bool(subscription.cancel_at_period_end)


class TestCanceling:
    def test_says_until_when_it_runs_and_changes_nothing_by_being_read(self, joined):
        page = joined.get("/portal/cancel/").content.decode()
        assert "2 March 2027" in page
        assert Membership.objects.get().renewal_expected

    def test_ends_renewals_here_and_there(self, joined):
        assert joined.post("/portal/cancel/")["Location"] == "/portal/"
        assert not Membership.objects.get().renewal_expected
        assert at_stripe()
        assert "nothing more will be charged" in joined.get("/portal/").content.decode()

    def test_changes_nothing_while_stripe_is_away(self, joined):
        with faults.next_call("POST /v1/subscriptions/{id}", lost="request", times=9):
            assert joined.post("/portal/cancel/").status_code == 503
        assert Membership.objects.get().renewal_expected

    def test_can_be_taken_back(self, joined):
        joined.post("/portal/cancel/")
        joined.post("/portal/stay/")
        assert Membership.objects.get().renewal_expected
        assert not at_stripe()

    def test_taken_back_after_a_new_login_leads_to_the_portal_and_its_button(self, joined):
        joined.post("/portal/cancel/")
        assert joined.get("/portal/stay/")["Location"] == "/portal/"
        assert not Membership.objects.get().renewal_expected

    def test_is_not_for_those_who_are_not_members(self, visitor):
        assert visitor.get("/portal/cancel/")["Location"] == "/portal/"

    def test_made_in_stripes_own_dashboard_is_followed(self, joined, webhooks):
        api = gateway.client().v1
        api.subscriptions.update(Subscription.objects.get().stripe_id, {"cancel_at_period_end": True})
        webhooks()
        assert not Membership.objects.get().renewal_expected
        api.subscriptions.update(Subscription.objects.get().stripe_id, {"cancel_at_period_end": False})
        webhooks()
        assert Membership.objects.get().renewal_expected
