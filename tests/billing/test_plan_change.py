"""Changing the plan through its pages: better at once for exactly the quoted amount, less at the next renewal."""

from __future__ import annotations

import pytest

from billing import gateway, janitor, sync
from billing.emulator import faults
from billing.models import InvoiceLine, Operation, PlanQuote, Subscription
from membership.models import Consent, Membership, Term, TierChange
from tests.billing.changing import ask, at_stripe, decline, paid, tier, words
from tests.billing.conftest import come_back, go_to_pay, mails, pay
from tests.emulator import people
from tests.invariants import breached_once_worked_off

pytestmark = pytest.mark.django_db(transaction=True)
UPDATE = "POST /v1/subscriptions/{id}"


class TestChoosing:
    def test_shows_what_is_better_at_once_and_what_is_less_at_the_renewal(self, silver):
        page = words(silver.get("/portal/change-plan/"))
        assert "See what Gold costs now" in page
        assert "Change to Bronze at the renewal" in page

    def test_is_linked_from_the_portal(self, silver):
        assert "/portal/change-plan/" in words(silver.get("/portal/"))

    def test_is_not_for_those_who_are_not_members(self, visitor):
        assert visitor.get("/portal/change-plan/")["Location"] == "/portal/"

    def test_waits_while_a_renewal_is_being_paid(self, silver, clock):
        clock.move_to(Term.objects.get().ends_at)
        clock.move(minutes=5)
        assert silver.get("/portal/change-plan/")["Location"] == "/portal/"
        assert silver.post("/portal/change-plan/gold-year/quote/")["Location"] == "/portal/change-plan/"
        assert not PlanQuote.objects.exists()


class TestAQuote:
    def test_says_what_is_charged_now_and_what_renews_when(self, silver):
        page = words(silver.get(ask(silver)))
        assert "Pay € 30 and hold Gold" in page
        assert "2 March 2027" in page
        assert "€ 119" in page

    def test_charges_nothing_by_being_made_or_read(self, silver, clock):
        silver.get(ask(silver))
        assert (paid(), tier(clock)) == ([5900], "silver")

    def test_is_its_owners_alone(self, silver, client, django_user_model):
        address = ask(silver)
        client.force_login(django_user_model.objects.create_user("eve@example.org", "correct horse battery"))
        assert client.get(address).status_code in {302, 404}

    def test_that_has_run_out_says_so(self, silver, clock):
        address = ask(silver)
        clock.move(minutes=11)
        page = words(silver.get(address))
        assert "Work it out anew" in page
        assert "Pay €" not in page


class TestConfirming:
    def test_charges_exactly_the_quote_and_holds_the_tier_at_once(self, silver, clock):
        address = ask(silver)
        clock.move(minutes=9)  # a later count would come to less
        assert silver.post(address)["Location"] == "/portal/"
        assert paid() == [5900, PlanQuote.objects.get().due] == [5900, 3000]
        assert tier(clock) == "gold"
        assert TierChange.objects.get().changed_at == PlanQuote.objects.get().proration_at
        assert breached_once_worked_off() == set()

    def test_makes_no_term_and_keeps_the_date(self, silver):
        ends_at = Term.objects.get().ends_at
        silver.post(ask(silver))
        assert Term.objects.get().ends_at == ends_at

    def test_keeps_what_was_agreed_to_and_sends_one_receipt(self, silver):
        silver.post(ask(silver))
        consent = Consent.objects.get(kind="plan-change")
        assert consent.text.replace("\xa0", " ").startswith("I pay € 30 now for Gold.")
        assert len(mails("receipt")) == 2

    def test_lets_the_portal_say_the_new_renewal(self, silver):
        silver.post(ask(silver))
        assert "Your next payment of € 119 is on 2 March 2027" in words(silver.get("/portal/"))

    def test_again_charges_nothing_more(self, silver):
        address = ask(silver)
        for _ in range(3):
            assert silver.post(address)["Location"] == "/portal/"
        assert paid() == [5900, 3000]
        assert Operation.objects.filter(kind="change_plan").count() == 1

    def test_after_it_ran_out_shows_a_new_quote_and_charges_nothing(self, silver, clock):
        address = ask(silver)
        clock.move(days=30)
        answer = silver.post(address)
        assert answer["Location"].startswith("/portal/change-plan/quotes/")
        assert answer["Location"] != address
        assert paid() == [5900]

    def test_after_the_facts_changed_shows_a_new_quote_and_charges_nothing(self, silver):
        address = ask(silver)
        subscription = at_stripe()
        credit = {"amount": -1000, "currency": "eur"}
        gateway.client().v1.customers.balance_transactions.create(subscription.customer, credit)
        answer = silver.post(address, follow=True)
        assert "Pay € 20 and hold Gold" in words(answer)
        assert "Nothing was charged" in words(answer)
        assert paid() == [5900]
        silver.post(answer.request["PATH_INFO"])
        assert paid() == [5900, 2000]

    def test_with_a_declined_card_changes_nothing_and_leads_to_another(self, silver, clock):
        good, address = decline(silver), ask(silver)
        answer = silver.post(address)
        assert answer.status_code == 402
        assert "/mend-payment/" in words(answer)
        assert (paid(), tier(clock)) == ([5900], "silver")
        assert at_stripe().items.data[0].price.unit_amount == 5900
        api = gateway.client().v1
        api.subscriptions.update(at_stripe().id, {"default_payment_method": good})
        assert silver.post(address)["Location"] == "/portal/"
        assert paid() == [5900, 3000]

    def test_with_a_card_that_must_be_confirmed_changes_nothing(self, silver, clock):
        api, subscription = gateway.client().v1, at_stripe()
        card = api.payment_methods.attach("pm_card_authenticationRequired", {"customer": subscription.customer})
        api.subscriptions.update(subscription.id, {"default_payment_method": card.id})
        answer = silver.post(ask(silver))
        assert "Your bank wants to confirm" in words(answer)
        assert (paid(), tier(clock)) == ([5900], "silver")

    @pytest.mark.parametrize("lost", ["request", "answer"])
    def test_with_the_last_word_lost_ends_the_same(self, silver, clock, lost):
        address = ask(silver)
        with faults.next_call(UPDATE, lost=lost, times=9 if lost == "request" else 2):
            first = silver.post(address)
        assert first.status_code == (503 if lost == "request" else 302)
        assert silver.post(address)["Location"] == "/portal/"
        assert (paid(), tier(clock)) == ([5900, 3000], "gold")
        assert not Operation.objects.filter(state="unknown").exists()
        assert breached_once_worked_off() == set()

    def test_that_never_arrived_is_dropped_when_its_quote_is_over(self, silver, clock):
        with faults.next_call(UPDATE, lost="request", times=9):
            silver.post(ask(silver))
        clock.move(minutes=12)
        janitor.look_after(at=clock.now)
        assert PlanQuote.objects.get().state == "dropped"
        assert (paid(), Operation.objects.get(kind="change_plan").state) == ([5900], "refused")

    def test_is_told_by_webhooks_alone_too(self, silver, clock, webhooks, monkeypatch):
        address = ask(silver)
        with monkeypatch.context() as patch:
            patch.setattr(sync, "subscription", lambda *args, **more: True)
            silver.post(address)
        assert tier(clock) == "silver"
        webhooks("shuffled", 5)
        assert (tier(clock), TierChange.objects.count()) == ("gold", 1)

    def test_and_webhooks_in_any_order_end_the_same(self, silver, clock, webhooks):
        silver.post(ask(silver))
        for mode, seed in (("reversed", 1), ("duplicated", 2), ("dropped", 3)):
            webhooks(mode, seed)
        assert (paid(), tier(clock), TierChange.objects.count()) == ([5900, 3000], "gold", 1)
        assert breached_once_worked_off() == set()


class TestTwice:
    def test_within_a_term_credits_what_was_really_paid(self, visitor, clock):
        pay(go_to_pay(visitor, "bronze-year"))
        come_back(visitor)
        clock.move(hours=365 * 12)
        visitor.post(ask(visitor, "silver-year"))
        clock.move(hours=365 * 6)
        visitor.post(ask(visitor, "gold-year"))
        assert paid() == [2900, 1500, 1500]
        assert (tier(clock), TierChange.objects.count()) == ("gold", 2)
        assert breached_once_worked_off() == set()


class TestInSpecialStates:
    def test_an_upgrade_of_a_canceled_membership_renews_nothing(self, silver, clock):
        silver.post("/portal/cancel/")
        address = ask(silver)
        assert "your membership ends" in words(silver.get(address))
        silver.post(address)
        assert (tier(clock), paid()) == ("gold", [5900, 3000])
        assert not Membership.objects.get().renewal_expected
        assert at_stripe().cancel_at_period_end

    def test_an_upgrade_beside_a_planned_downgrade_takes_its_place(self, silver, clock):
        silver.post("/portal/change-plan/bronze-year/")
        silver.post(ask(silver))
        assert (tier(clock), paid()) == ("gold", [5900, 3000])
        assert Membership.objects.get().plan.code == "gold-year"

    def test_an_upgrade_with_a_coupon_counts_what_was_really_paid(self, visitor, clock):
        api = gateway.client().v1
        coupon = api.coupons.create({"percent_off": 50, "duration": "forever"})
        code = api.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "HALF"})
        url = go_to_pay(visitor, "silver-year")
        assert people.pay(visitor, url, code=code.code)
        come_back(visitor)
        clock.move(hours=365 * 12)
        address = ask(visitor)
        assert "€ 59.50" in words(visitor.get(address))  # half of gold, from then on
        visitor.post(address)
        assert paid() == [2950, 1500]

    def test_in_grace_there_is_nothing_to_change(self, silver, clock):
        Subscription.objects.update(status="past_due")
        assert silver.get("/portal/change-plan/")["Location"] == "/portal/"

    def test_during_a_trial_both_wait_for_its_end(self, silver):
        api, subscription = gateway.client().v1, at_stripe()
        later = subscription.items.data[0].current_period_end + 86_400
        api.subscriptions.update(subscription.id, {"trial_end": later, "proration_behavior": "none"})
        sync.subscription(subscription.id)
        assert "Change to Gold at the renewal" in words(silver.get("/portal/change-plan/"))
        assert silver.post("/portal/change-plan/gold-year/quote/")["Location"] == "/portal/change-plan/gold-year/"


class TestI2:
    def test_a_paid_change_without_its_tier(self, silver):
        silver.post(ask(silver))
        InvoiceLine.objects.filter(changes_plan=True).update(stripe_id="il_other")
        assert breached_once_worked_off() == {"I2"}

    def test_a_tier_without_its_paid_change(self, silver):
        silver.post(ask(silver))
        InvoiceLine.objects.update(changes_plan=False)
        assert breached_once_worked_off() == {"I2"}
