"""An upgrade on a card whose bank confirms each payment: the quote is charged once its holder has confirmed it."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest

from billing import gateway, janitor
from billing.emulator import cards as test_cards
from billing.emulator import hosted_invoice
from billing.emulator.payment_methods import TypedCard
from billing.models import Invoice, PlanQuote, Subscription
from membership import standing
from membership.models import Membership
from tests.billing.conftest import come_back, go_to_pay, pay
from tests.emulator import people
from tests.invariants import breached_once_worked_off

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asked(visitor, clock):
    """Ada, half way through a year of silver, has pressed the button that costs € 30; her bank wants to hear her."""
    pay(go_to_pay(visitor, "silver-year"))
    come_back(visitor)
    clock.move(hours=365 * 12)
    people.turn_cards(Membership.objects.get().member.customer.stripe_id, people.THREE_DS_ALWAYS)
    address = visitor.post("/portal/change-plan/gold-year/quote/")["Location"]
    return visitor, address, visitor.post(address)


def words(answer) -> str:
    return html.unescape(answer.content.decode())


def at_stripe():
    return gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id)


def confirm() -> None:
    """On Stripe's page for the invoice, the bank's step passed."""
    invoice = at_stripe().latest_invoice
    entry = TypedCard(test_cards.by_number(people.THREE_DS_ALWAYS), (12, 2030), "Ada")
    assert hosted_invoice.pay(invoice, entry).outcome is hosted_invoice.Outcome.AUTHENTICATE
    assert hosted_invoice.authenticate(invoice, passed=True).outcome is hosted_invoice.Outcome.PAID


def tier(clock) -> str:
    found = standing.tier_at(Membership.objects.with_facts().get(), clock.now)
    return found.code if found else ""


def test_shows_the_way_to_the_bank_and_changes_nothing_yet(asked, clock):
    _, _, page = asked
    assert page.status_code == 402
    assert "Confirm with your bank" in words(page)
    assert gateway.client().v1.invoices.retrieve(at_stripe().latest_invoice).hosted_invoice_url in words(page)
    assert (tier(clock), at_stripe().items.data[0].price.unit_amount) == ("silver", 5900)


def test_pressed_again_is_the_same_invoice(asked):
    visitor, address, _ = asked
    first = at_stripe().latest_invoice
    assert "Confirm with your bank" in words(visitor.post(address))
    assert at_stripe().latest_invoice == first
    assert len(gateway.client().v1.invoices.list({}).data) == 2


@pytest.mark.parametrize("mode", ["in_order", "reversed", "duplicated"])
def test_confirmed_is_charged_as_quoted_and_held(asked, clock, webhooks, mode):
    confirm()
    webhooks(mode)
    assert (tier(clock), PlanQuote.objects.get().state) == ("gold", "done")
    assert [i.amount_paid for i in Invoice.objects.filter(status="paid").order_by("made_at")] == [5900, 3000]
    assert Membership.objects.get().plan.code == "gold-year"
    assert breached_once_worked_off() == set()


def test_left_alone_is_withdrawn_when_the_quote_has_run_out(asked, clock, webhooks):
    visitor, _, _ = asked
    clock.move_to(PlanQuote.objects.get().expires_at + timedelta(minutes=2))
    janitor.look_after(at=clock.now)
    webhooks()
    assert (at_stripe().pending_update, PlanQuote.objects.get().state) == (None, "dropped")
    assert [i.status for i in gateway.client().v1.invoices.list({}).data] == ["void", "paid"]
    assert visitor.post("/portal/change-plan/gold-year/quote/").status_code == 302
    assert breached_once_worked_off() == set()


def test_confirmed_in_the_moment_of_its_withdrawal_is_held(asked, clock):
    clock.move_to(PlanQuote.objects.get().expires_at + timedelta(minutes=2))
    confirm()
    janitor.look_after(at=clock.now)
    assert (tier(clock), PlanQuote.objects.get().state) == ("gold", "done")
