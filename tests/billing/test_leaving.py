"""Canceling and staying: Stripe and the membership agree, and the page says what it means."""

from __future__ import annotations

import pytest

from billing import gateway, running_out
from billing.emulator import faults
from billing.models import CheckoutSession, Subscription
from membership import clock as product_clock
from membership import households, lifecycle
from membership.models import Membership, Plan, Status, Term
from tests import factories
from tests.billing.conftest import come_back, go_to_pay, mails, pay

pytestmark = pytest.mark.django_db(transaction=True)


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

    def test_names_the_payment_that_will_not_be_taken(self, joined):
        page = joined.get("/portal/cancel/").content.decode()
        assert "The payment of €\u00a0119 planned for 2 March 2027 will not be taken." in page

    def test_says_that_nothing_is_given_back_only_where_that_is_so(self, joined, clock, settings):
        settings.HOUSE_REFUNDS = False
        assert "nothing is given back" not in joined.get("/portal/cancel/").content.decode()
        clock.move(days=60)
        assert "nothing is given back" in joined.get("/portal/cancel/").content.decode()

    def test_is_confirmed_once_though_pressed_twice(self, joined):
        joined.post("/portal/cancel/")
        joined.post("/portal/cancel/")
        (letter,) = mails("membership_canceled")
        assert "Nothing more will be charged" in letter.text

    def test_is_confirmed_anew_when_the_mind_has_changed_twice(self, joined, clock):
        for _turn in range(2):
            joined.post("/portal/cancel/")
            clock.move(minutes=1)
            joined.post("/portal/stay/")
            clock.move(minutes=1)
        assert (len(mails("membership_canceled")), len(mails("membership_stays"))) == (2, 2)

    def test_says_so_when_it_is_done_already(self, joined):
        joined.post("/portal/cancel/")
        page = joined.get("/portal/cancel/").content.decode()
        assert "You canceled on 2 March 2026." in page
        assert "Stay after all" in page

    def test_that_stripe_heard_and_never_answered_is_found_by_its_event(self, joined, webhooks):
        with faults.next_call("POST /v1/subscriptions/{id}", lost="answer", times=9):
            assert joined.post("/portal/cancel/").status_code == 503
        webhooks()
        assert not Membership.objects.get().renewal_expected
        assert len(mails("membership_canceled")) == 1

    def test_that_stripe_refuses_is_not_said_to_be_done(self, joined):
        with faults.next_call("POST /v1/subscriptions/{id}", status=400, times=9):
            assert joined.post("/portal/cancel/").status_code in (502, 503)
        assert Membership.objects.get().renewal_expected

    def test_answers_with_the_page_of_now_when_another_was_read(self, joined):
        answer = joined.post("/portal/cancel/", {"promised": "trial"})
        assert answer.status_code == 409
        assert "nothing has been canceled yet" in answer.content.decode()
        assert Membership.objects.get().renewal_expected

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

    def test_made_in_stripes_own_portal_is_followed_and_can_be_taken_back(self, joined, webhooks):
        api = gateway.client().v1
        subscription = Subscription.objects.get()
        assert subscription.current_period_end
        api.subscriptions.update(
            subscription.stripe_id, {"cancel_at": int(subscription.current_period_end.timestamp())}
        )
        webhooks()
        assert not Membership.objects.get().renewal_expected
        assert len(mails("membership_canceled")) == 1
        joined.post("/portal/stay/")
        assert Membership.objects.get().renewal_expected
        assert not Subscription.objects.get().ends_by_itself


class TestCancelingATrial:
    @pytest.fixture
    def trying(self, visitor):
        Plan.objects.filter(code="gold-year").update(trial_days=14)
        pay(go_to_pay(visitor))
        come_back(visitor)
        return visitor

    def test_promises_that_nothing_is_ever_charged(self, trying):
        page = trying.get("/portal/cancel/").content.decode()
        assert "Your free days run until 16 March 2026" in page
        assert "you will have paid nothing" in page

    def test_ends_with_its_free_days(self, trying, clock, webhooks):
        trying.post("/portal/cancel/", {"promised": "trial"})
        clock.move(days=15)
        webhooks()
        running_out.see_out(at=clock.now)
        assert Subscription.objects.get().status == "canceled"
        assert Membership.objects.get().status == Status.ENDED
        assert Term.objects.count() == 1
        assert "you pay nothing" in mails("membership_canceled")[0].text


class TestGivingAPlaceBack:
    def test_closes_the_pay_page_and_frees_the_place(self, visitor):
        url = go_to_pay(visitor)
        assert "Nothing was charged, and nothing will be." in visitor.get("/portal/cancel/").content.decode()
        visitor.post("/portal/cancel/", {"promised": "place"})
        assert Membership.objects.get().status == Status.ENDED
        assert CheckoutSession.objects.get().state == "expired"
        assert pay(url).name == "EXPIRED"
        assert not mails("membership_canceled")

    def test_of_a_page_that_was_paid_meanwhile_shows_what_canceling_means_now(self, visitor):
        pay(go_to_pay(visitor))
        answer = visitor.post("/portal/cancel/", {"promised": "place"})
        assert answer.status_code == 409
        assert Membership.objects.get().status == Status.ACTIVE
        assert "2 March 2027" in answer.content.decode()


class TestCancelingInOtherStates:
    def test_on_hold_stops_the_renewal_and_keeps_the_hold(self, joined):
        lifecycle.suspend(
            membership=Membership.objects.get(), source="staff", source_ref="1", at=product_clock.now(), actor="staff:1"
        )
        assert "Your membership is on hold." in joined.get("/portal/cancel/").content.decode()
        joined.post("/portal/cancel/", {"promised": "on_hold"})
        membership = Membership.objects.get()
        assert membership.status == Status.SUSPENDED
        assert membership.canceled_at
        assert at_stripe()

    def test_while_it_rests_it_is_canceled_for_its_later_end(self, joined, clock):
        lifecycle.pause(
            membership=Membership.objects.get(), until=factories.moment("2026-04-02T10:00"), at=clock.now, actor="m"
        )
        assert "runs until 2 April 2027" in joined.get("/portal/cancel/").content.decode()
        joined.post("/portal/cancel/", {"promised": "resting"})
        assert Membership.objects.get().canceled_at

    def test_of_a_gift_there_is_nothing_to_cancel(self, visitor, ada, clock):
        plan = Plan.objects.get(code="gold-year")
        made = lifecycle.reserve(member=ada, plan=plan, currency="EUR", at=clock.now, actor="staff:1")
        lifecycle.add_term(
            membership=made, source="gift", source_ref="gift:1", plan=plan, at=clock.now, actor="staff:1"
        )
        page = visitor.get("/portal/cancel/").content.decode()
        assert "There is nothing to cancel" in page
        assert visitor.post("/portal/cancel/").status_code == 200
        assert Membership.objects.get().canceled_at is None

    def test_a_seat_names_whose_membership_it_is(self, joined, clock):
        from django.test import Client

        guest = factories.member("Grace Hopper")
        households.open_seat(membership=Membership.objects.get(), holder=guest, at=clock.now, actor="staff:1")
        visitor = Client()
        visitor.force_login(guest.user, "allauth.account.auth_backends.AuthenticationBackend")
        assert "Only Ada Lovelace can cancel it." in visitor.get("/portal/cancel/").content.decode()
        visitor.post("/portal/cancel/")
        assert Membership.objects.get().renewal_expected
