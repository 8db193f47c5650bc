"""Facts about the real Stripe, each shown on the local one. The same sentences stand in docs/local-stripe.md.

A fact has a source: what was recorded against the real API in test mode, what Stripe's documentation says, or a trace
of `stripe listen`. What has none is listed there as assumed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import stripe

from billing.emulator import clock as stripe_clock
from billing.emulator import delivery, endpoints, periods, store
from billing.emulator.models import Record
from tests.emulator import people

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDED = "recorded in test mode, 2026-08-26"
DOCS = "Stripe's documentation"
TRACES = "`stripe listen` traces, 2023 to 2026"
SDK = "types of the SDK"

FACTS: dict[str, str] = {}


def fact(sentence: str, source: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    FACTS[sentence] = source

    def mark(test: Callable[..., None]) -> Callable[..., None]:
        test.__doc__ = sentence
        return test

    return mark


@fact("A paid Checkout in subscription mode makes a subscription that is `active` from the start.", TRACES)
def test_active_from_the_start(bought, api):
    created = api.events.list({"type": "customer.subscription.created"}).data[0]
    assert created.data.object.status == "active"
    assert api.events.list({"type": "customer.subscription.updated"}).data == []


@fact("After payment a session is `complete` and `paid`, names its subscription and invoice, and has no url.", DOCS)
def test_complete(bought):
    assert (bought.status, bought.payment_status, bought.url) == ("complete", "paid", None)
    assert bought.subscription.latest_invoice == bought.invoice.id
    assert bought.customer_details.email == "ada@example.com"


@fact("A session may expire 30 minutes to 24 hours after it is made; without a word, after 24 hours.", DOCS)
def test_expiry(open_session, clock):
    now = int(clock.now.timestamp())
    assert open_session().expires_at == now + 86_400
    assert open_session(expires_at=now + 1800).expires_at == now + 1800


@fact("A declined card leaves the session open.", DOCS)
def test_declined(client, open_session, api):
    session = open_session()
    assert people.pay(client, session.url, number=people.DECLINED) == ""
    assert api.checkout.sessions.retrieve(session.id).status == "open"


@fact("`{CHECKOUT_SESSION_ID}` in success_url is replaced.", DOCS)
def test_replaced(client, open_session):
    session = open_session()
    assert people.pay(client, session.url) == f"https://shop.example/done?session_id={session.id}"


@fact("A trial invoices nothing, paid at once, as “Free trial for 1 × …”.", RECORDED)
def test_free_trial(api, open_session, pay):
    pay(open_session(subscription_data={"trial_period_days": 30}))
    invoice = api.invoices.list().data[0]
    assert (invoice.status, invoice.total) == ("paid", 0)
    assert invoice.lines.data[0].description.startswith("Free trial for 1 × ")


@fact("A coupon that applies once is used up by the first paid invoice.", RECORDED)
def test_once(api, open_session, pay):
    made = api.coupons.create({"percent_off": 10, "duration": "once"})
    session = open_session(discounts=[{"coupon": made.id}])
    pay(session)
    paid = api.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "invoice"]})
    assert len(paid.invoice.discounts) == 1
    assert paid.subscription.discounts == []


@fact("Subscriptions have billing mode flexible, with proration discounts included.", RECORDED)
def test_flexible(bought):
    mode = bought.subscription.billing_mode
    assert (mode.type, mode.flexible.proration_discounts) == ("flexible", "included")


@fact("A period stands on the subscription's item, an invoice's subscription in its parent.", SDK)
def test_current_shape(bought):
    assert "current_period_end" not in bought.subscription
    assert bought.subscription.items.data[0].current_period_end
    assert "subscription" not in bought.invoice
    assert bought.invoice.parent.subscription_details.subscription == bought.subscription.id


@fact(
    "Canceling at the period's end sets `cancel_at`, `canceled_at` and the reason; taking it back clears them.",
    RECORDED,
)
def test_cancel_at_period_end(api, bought, seller):
    changed = api.subscriptions.update(bought.subscription.id, {"cancel_at_period_end": True})
    assert changed.status == "active"
    assert changed.cancel_at == changed.items.data[0].current_period_end
    assert changed.cancellation_details.reason == "cancellation_requested"
    seller.driver.run()
    assert seller.types() == ["customer.subscription.updated"]
    back = api.subscriptions.update(bought.subscription.id, {"cancel_at_period_end": False})
    assert (back.cancel_at, back.canceled_at, back.cancellation_details.reason) == (None, None, None)


@fact(
    "At that end: it is deleted, `ended_at` is the boundary, `canceled_at` unchanged, and there is no invoice.",
    RECORDED,
)
def test_boundary(api, bought, clock):
    asked = api.subscriptions.update(bought.subscription.id, {"cancel_at_period_end": True})
    clock.move(days=366)
    ended = api.subscriptions.retrieve(bought.subscription.id)
    assert (ended.status, ended.ended_at, ended.canceled_at) == ("canceled", asked.cancel_at, asked.canceled_at)
    assert api.events.list().data[0].type == "customer.subscription.deleted"
    assert len(api.invoices.list().data) == 1


@fact("A canceled subscription takes only metadata and cancellation details; a second cancel is a 404.", RECORDED)
def test_canceled(api, bought):
    api.subscriptions.cancel(bought.subscription.id)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.subscriptions.update(bought.subscription.id, {"cancel_at_period_end": True})
    assert refusal.value.code == "invalid_canceled_subscription_fields"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.subscriptions.cancel(bought.subscription.id)
    assert refusal.value.http_status == 404


@fact("A refund leaves the invoice paid and the subscription as it was.", TRACES)
def test_refund_leaves_the_rest(api, bought):
    api.refunds.create({"payment_intent": bought.invoice.payments.data[0].payment.payment_intent})
    assert api.invoices.retrieve(bought.invoice.id).status == "paid"
    assert api.subscriptions.retrieve(bought.subscription.id).status == "active"


@fact("Refunding more than is left is a 400 on `amount` that names both sums.", RECORDED)
def test_refund_too_much(api, bought):
    intent = bought.invoice.payments.data[0].payment.payment_intent
    with pytest.raises(stripe.InvalidRequestError, match=r"Refund amount \(€120.00\) is greater than unrefunded"):
        api.refunds.create({"payment_intent": intent, "amount": 12000})


@fact("Refunding what is refunded is `charge_already_refunded`.", RECORDED)
def test_refund_twice(api, bought):
    intent = bought.invoice.payments.data[0].payment.payment_intent
    api.refunds.create({"payment_intent": intent})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.refunds.create({"payment_intent": intent})
    assert refusal.value.code == "charge_already_refunded"


@fact("The declining cards cannot be attached (402); 4000000000000341 can, and every charge on it fails.", DOCS)
def test_cards(api, ada, client, open_session):
    for name in ("chargeDeclined", "visa_chargeDeclined", "visa_chargeDeclinedInsufficientFunds"):
        with pytest.raises(stripe.CardError):
            api.payment_methods.attach(f"pm_card_{name}", {"customer": ada.id})
    assert api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": ada.id}).customer == ada.id
    assert people.pay(client, open_session().url, number="4000000000000341") == ""


@fact("An open invoice whose card asks for 3DS stays open, attempted, with no attempt counted.", RECORDED)
def test_invoice_needs_action(api, bought, ada):
    reopen(bought.invoice.id)
    card = api.payment_methods.attach("pm_card_threeDSecure2Required", {"customer": ada.id})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.invoices.pay(bought.invoice.id, {"payment_method": card.id})
    assert refusal.value.code == "invoice_payment_intent_requires_action"
    invoice = api.invoices.retrieve(bought.invoice.id)
    assert (invoice.status, invoice.attempted, invoice.attempt_count) == ("open", True, 0)


@fact("An open invoice whose card is declined stays open with one attempt counted.", RECORDED)
def test_invoice_payment_fails(api, bought, ada, seller):
    reopen(bought.invoice.id)
    card = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": ada.id})
    with pytest.raises(stripe.CardError):
        api.invoices.pay(bought.invoice.id, {"payment_method": card.id})
    assert api.invoices.retrieve(bought.invoice.id).attempt_count == 1
    seller.driver.run()
    assert "invoice.payment_failed" in seller.types()


def reopen(invoice_id: str) -> None:
    """As if the first payment had not come."""
    invoice = store.get("invoice", invoice_id)
    due = invoice.data["amount_due"]
    invoice.data |= {
        "status": "open",
        "amount_paid": 0,
        "amount_remaining": due,
        "attempted": False,
        "attempt_count": 0,
    }
    store.save(invoice)


@fact("An unknown parameter is a 400 that names it; a missing object a 404, or a 400 in a parameter.", DOCS)
def test_refusals(api, open_session):
    with pytest.raises(stripe.InvalidRequestError, match="Received unknown parameter: wishes"):
        api.customers.create({"wishes": "1"})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.customers.retrieve("cus_0")
    assert refusal.value.http_status == 404
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        open_session(customer="cus_0")
    assert refusal.value.http_status == 400


@fact("The same idempotency key answers the same again, with `Idempotent-Replayed: true`.", DOCS)
def test_replay(api):
    made = [api.customers.create({}, {"idempotency_key": "one"}) for _ in range(2)]
    assert made[0].id == made[1].id
    assert made[1].last_response.headers["idempotent-replayed"] == "true"


@fact("The same key with other parameters is a 400 `idempotency_error`.", RECORDED)
def test_other_parameters(api):
    api.customers.create({}, {"idempotency_key": "one"})
    with pytest.raises(stripe.IdempotencyError) as refusal:
        api.customers.create({"name": "Ada"}, {"idempotency_key": "one"})
    assert refusal.value.http_status == 400


@fact("A key is not spent by parameters that fail validation.", DOCS)
def test_not_spent(api):
    with pytest.raises(stripe.InvalidRequestError):
        api.customers.create({"wishes": "1"}, {"idempotency_key": "one"})
    assert api.customers.create({}, {"idempotency_key": "one"}).id


@fact("Lists are newest first, ten unless told otherwise, a hundred at most.", DOCS)
def test_lists(api):
    made = [api.customers.create({}).id for _ in range(12)]
    page = api.customers.list()
    assert [one.id for one in page.data] == made[:1:-1]
    assert page.has_more


@fact("A deleted customer answers `{id, object, deleted: true}`.", DOCS)
def test_tombstone(api, ada):
    api.customers.delete(ada.id)
    assert api.customers.retrieve(ada.id).to_dict() == {"id": ada.id, "object": "customer", "deleted": True}


@fact("A redirect counts as a failed delivery, as does every answer but 2xx.", DOCS)
def test_redirect(api, seller):
    api.customers.create({})
    assert [delivery.deliver(row, lambda url, body, headers: 308) for row in delivery.due()] == [False]


@fact("While a secret is rotated, at most 24 hours, there is one signature for each secret.", DOCS)
def test_rotation(api, seller, monkeypatch):
    webhook = Record.objects.get(kind="webhook_endpoint")
    endpoints.roll_secret(webhook, secret="whsec_new")
    assert delivery.signature("{}", endpoints.signing_secrets(webhook)).count("v1=") == 2
    later = stripe_clock.wall() + 24 * 3600 + 1
    monkeypatch.setattr(stripe_clock, "wall", lambda: later)
    assert endpoints.signing_secrets(webhook) == ["whsec_new"]


@fact("An account has at most 16 webhook endpoints in test mode.", DOCS)
def test_sixteen_endpoints(api):
    endpoint = {"url": "https://shop.example/", "enabled_events": ["*"]}
    for _ in range(16):
        api.webhook_endpoints.create(endpoint)
    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16"):
        api.webhook_endpoints.create(endpoint)


@fact("A customer's currency is pinned by the first invoice.", DOCS)
def test_currency(api, ada, bought):
    assert api.customers.retrieve(ada.id).currency == "eur"


@fact("Monthly periods from 31 January end on 28 or 29 February, 31 March, 30 April.", DOCS)
def test_month_ends():
    anchor = int(datetime(2027, 1, 31, tzinfo=UTC).timestamp())
    ends = [datetime.fromtimestamp(periods.after(anchor, "month", n), UTC) for n in (1, 2, 3)]
    assert [(end.month, end.day) for end in ends] == [(2, 28), (3, 31), (4, 30)]


def test_every_fact_stands_in_the_documentation():
    text = (Path(__file__).parents[2] / "docs" / "local-stripe.md").read_text(encoding="utf-8")
    missing = [sentence for sentence, source in FACTS.items() if f"| {sentence} | {source} |" not in text]
    assert missing == []
