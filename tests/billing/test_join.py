"""Joining: the pay page, the way back, the webhooks; in any order, once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.emulator import checkout_pay
from billing.models import CheckoutSession, Invoice, Operation, StripeEvent, Subscription
from membership import standing
from membership.models import Consent, Membership, Term
from tests.billing.conftest import DECLINED, THREE_D_SECURE, come_back, go_to_pay, mails, pay
from tests.invariants import breached

pytestmark = pytest.mark.django_db(transaction=True)


def the_membership() -> Membership:
    return Membership.objects.with_facts().get()


class TestPaying:
    def test_makes_the_membership_active_with_one_term_a_card_and_two_mails(self, visitor, clock):
        assert pay(go_to_pay(visitor)) is checkout_pay.Outcome.PAID
        assert come_back(visitor)["Location"] == "/portal/"

        membership = the_membership()
        assert standing.at(membership, clock.now) == "current"
        term = Term.objects.get()
        assert (term.source, term.starts_at.date()) == ("paid", clock.now.date())
        assert [m.attached_card.member for m in mails("welcome")] == [membership.member]
        assert len(mails("receipt")) == 1
        assert Invoice.objects.get().amount_paid == 11900
        assert breached() == set()

    def test_keeps_the_words_that_were_agreed_to(self, visitor):
        go_to_pay(visitor)
        consent = Consent.objects.get()
        assert "€ 119" in consent.text.replace("\xa0", " ")
        assert (consent.kind, consent.version, consent.language) == ("renewal-terms", "2026-11", "en")

    def test_needs_the_agreement(self, visitor):
        answer = visitor.post("/checkout/gold-year/", {})
        assert answer.status_code == 422
        assert b"Please agree" in answer.content
        assert not Membership.objects.exists()

    def test_with_a_declined_card_leaves_it_pending_and_the_page_open(self, visitor, clock):
        url = go_to_pay(visitor)
        assert pay(url, DECLINED) is checkout_pay.Outcome.DECLINED
        assert come_back(visitor)["Location"] == "/checkout/gold-year/?currency=EUR"
        assert standing.at(the_membership(), clock.now) == "pending"
        assert pay(url) is checkout_pay.Outcome.PAID
        come_back(visitor)
        assert standing.at(the_membership(), clock.now) == "current"

    def test_with_3ds_works(self, visitor, clock):
        assert pay(go_to_pay(visitor), THREE_D_SECURE) is checkout_pay.Outcome.PAID
        come_back(visitor)
        assert standing.at(the_membership(), clock.now) == "current"


class TestOrder:
    @pytest.mark.parametrize("mode", ["in_order", "reversed", "shuffled", "duplicated", "dropped"])
    def test_the_webhooks_alone_are_enough_in_any_order(self, visitor, webhooks, mode, clock):
        pay(go_to_pay(visitor))
        webhooks(mode)
        assert standing.at(the_membership(), clock.now) == "current"
        assert (Term.objects.count(), len(mails("welcome")), len(mails("receipt"))) == (1, 1, 1)
        assert CheckoutSession.objects.get().state == "complete"

    def test_return_then_webhooks_change_nothing_more(self, visitor, webhooks):
        pay(go_to_pay(visitor))
        come_back(visitor)
        webhooks()
        assert (Term.objects.count(), len(mails("welcome")), len(mails("receipt"))) == (1, 1, 1)

    def test_webhooks_then_return_change_nothing_more(self, visitor, webhooks):
        pay(go_to_pay(visitor))
        webhooks("reversed")
        assert come_back(visitor)["Location"] == "/portal/"
        assert (Term.objects.count(), len(mails("welcome")), len(mails("receipt"))) == (1, 1, 1)

    def test_every_event_is_kept_once_and_worked_off(self, visitor, webhooks):
        pay(go_to_pay(visitor))
        webhooks("duplicated")
        assert StripeEvent.objects.exists()
        assert not StripeEvent.objects.filter(done_at=None).exists()


class TestSecondTab:
    def test_with_the_same_plan_gets_the_same_page(self, visitor):
        assert go_to_pay(visitor) == go_to_pay(visitor)
        assert Membership.objects.count() == 1

    def test_with_another_plan_closes_the_first_page(self, visitor, clock):
        first = go_to_pay(visitor, "gold-year")
        second = go_to_pay(visitor, "silver-year")
        assert first != second
        assert pay(first) is checkout_pay.Outcome.EXPIRED
        assert pay(second) is checkout_pay.Outcome.PAID
        come_back(visitor)
        assert the_membership().plan.code == "silver-year"

    def test_after_paying_leads_to_the_portal(self, visitor):
        url = go_to_pay(visitor)
        pay(url)
        answer = visitor.post("/checkout/silver-year/", {"agree": "on"})
        assert answer["Location"] == "/portal/"
        assert Term.objects.get().plan.code == "gold-year"


class TestLeaving:
    def test_half_way_keeps_the_place(self, visitor):
        url = go_to_pay(visitor)
        answer = visitor.get("/checkout/gold-year/", {"left": "1"})
        assert "Nothing was charged" in answer.content.decode()
        assert go_to_pay(visitor) == url

    def test_until_the_page_runs_out_frees_the_place(self, visitor, webhooks, clock):
        go_to_pay(visitor)
        clock.move(days=2)
        from billing.emulator import timeline

        timeline.catch_up()
        webhooks()
        assert the_membership().status == "ended"
        assert CheckoutSession.objects.get().state == "expired"
        pay(go_to_pay(visitor))
        come_back(visitor)
        assert Membership.objects.get(status="active")

    def test_and_a_lost_webhook_is_made_good_by_the_sweep(self, visitor, clock):
        from billing import nets

        pay(go_to_pay(visitor))
        nets.look_after_checkouts(at=clock.now + timedelta(minutes=11))
        assert the_membership().status == "active"


class TestSecondSubscription:
    def test_that_slips_through_is_canceled_and_given_back(self, visitor, webhooks, ada):
        pay(go_to_pay(visitor))
        come_back(visitor)
        first = Subscription.objects.get()
        # A page that Stripe still has open, although our row of it is gone: the case rule 4 speaks of.
        second = _another_paid_subscription(ada)
        webhooks("shuffled")
        webhooks()
        assert Term.objects.count() == 1
        assert Subscription.objects.get(status="active") == first
        from billing import gateway

        api = gateway.client().v1
        assert api.subscriptions.retrieve(second).status == "canceled"
        refunds = api.refunds.list({"limit": 10}).data
        assert [r.amount for r in refunds] == [11900]
        assert not Operation.objects.exclude(state="done").exists()
        assert len(mails("payment_given_back")) == 1


def _another_paid_subscription(member) -> str:
    from billing import gateway
    from billing.models import StripePrice

    api = gateway.client().v1
    session = api.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": member.customer.stripe_id,
            "line_items": [
                {
                    "price": StripePrice.objects.get(price__plan__code="gold-year", price__currency="EUR").stripe_id,
                    "quantity": 1,
                }
            ],
            "success_url": "https://shop.example/",
        }
    )
    assert pay(session.url) is checkout_pay.Outcome.PAID
    return api.checkout.sessions.retrieve(session.id).subscription
