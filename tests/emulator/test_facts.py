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
ISSUES = "Stripe's staff in issues of its SDKs"

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


@fact("At the boundary the period rolls at once; the subscription stays active while its invoice is a draft.", DOCS)
def test_zero_lead_time(api, renewed):
    assert renewed.status == "active"
    assert renewed.latest_invoice.status == "draft"
    assert renewed.items.data[0].current_period_start == renewed.latest_invoice.created


@fact(
    "A renewal's draft says that it finalizes 3601 seconds after it was made, and is tried 3600 seconds after.",
    RECORDED,
)
def test_draft_hour(renewed):
    draft = renewed.latest_invoice
    assert draft.automatically_finalizes_at == draft.created + 3601
    assert draft.next_payment_attempt == draft.created + 3600


@fact("A renewal's invoice looks back on the period that ended, its line forward on the next.", RECORDED)
def test_looks_back(renewed, bought):
    draft, item = renewed.latest_invoice, renewed.items.data[0]
    assert (draft.period_start, draft.period_end) == (bought.subscription.start_date, item.current_period_start)
    line = draft.lines.data[0]
    assert (line.period.start, line.period.end) == (item.current_period_start, item.current_period_end)


@pytest.fixture
def renewed(api, bought, clock):
    """A second after the boundary."""
    clock.move_to(datetime.fromtimestamp(bought.subscription.items.data[0].current_period_end + 1, UTC))
    return api.subscriptions.retrieve(bought.subscription.id, {"expand": ["latest_invoice"]})


@fact("A renewal whose card is declined makes its subscription `past_due`.", DOCS)
def test_past_due(unpaid):
    assert (unpaid.status, unpaid.latest_invoice.status) == ("past_due", "open")


@pytest.fixture
def unpaid(api, renewed, ada, clock):
    """The card has no money when the draft hour is over."""
    people.turn_cards(ada.id, people.EMPTY)
    clock.move(hours=2)
    return api.subscriptions.retrieve(renewed.id, {"expand": ["latest_invoice"]})


@fact(
    "At the schedule's end it is canceled (`payment_failed`, the invoice open), unpaid (later invoices drafts) or "
    "left past due, as the account says.",
    DOCS,
)
@pytest.mark.parametrize(
    ("after", "status", "invoice"),
    [("cancel", "canceled", "open"), ("unpaid", "unpaid", "draft"), ("past_due", "past_due", "open")],
)
def test_schedule_ends(api, unpaid, clock, settings, after, status, invoice):
    settings.LOCAL_STRIPE = settings.LOCAL_STRIPE | {"AFTER_RETRIES": after}
    clock.move(days=400)
    ended = api.subscriptions.retrieve(unpaid.id, {"expand": ["latest_invoice"]})
    assert (ended.status, ended.latest_invoice.status) == (status, invoice)
    if after == "cancel":
        assert ended.cancellation_details.reason == "payment_failed"


@fact("After a hard decline the same card is not asked again, while attempts go on counting.", DOCS)
def test_hard_decline(api, renewed, ada, clock):
    people.turn_cards(ada.id, people.LOST)
    clock.move(days=4)
    assert api.invoices.retrieve(renewed.latest_invoice.id).attempt_count == 3
    assert len(api.charges.list().data) == 2


@fact("Any attempt counts as the first; after that only those of the retry schedule count.", SDK)
def test_attempt_count(api, unpaid):
    with pytest.raises(stripe.CardError):
        api.invoices.pay(unpaid.latest_invoice.id)
    assert api.invoices.retrieve(unpaid.latest_invoice.id).attempt_count == 1


@fact("Paying the latest invoice by any route makes a past due subscription active.", DOCS)
def test_paid_late(api, unpaid, ada):
    people.turn_cards(ada.id, people.GOOD)
    api.invoices.pay(unpaid.latest_invoice.id)
    assert api.subscriptions.retrieve(unpaid.id).status == "active"


@fact(
    "A renewal that needs 3DS off session: `invoice.payment_action_required`, its intent `requires_action`, past due.",
    DOCS,
)
def test_action_required(api, renewed, ada, clock):
    people.turn_cards(ada.id, people.THREE_DS_ALWAYS)
    clock.move(hours=2)
    assert api.subscriptions.retrieve(renewed.id).status == "past_due"
    assert len(api.events.list({"type": "invoice.payment_action_required"}).data) == 1
    assert api.payment_intents.list().data[0].status == "requires_action"


@fact("The card that is asked is the subscription's, else the customer's default.", DOCS)
def test_card_order(api, renewed, ada, clock):
    people.turn_cards(ada.id, people.LOST)
    card = api.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    api.customers.update(ada.id, {"invoice_settings": {"default_payment_method": card.id}})
    clock.move(hours=2)
    assert api.invoices.retrieve(renewed.latest_invoice.id).status == "open"
    api.payment_methods.detach(api.subscriptions.retrieve(renewed.id).default_payment_method)
    clock.move(days=2)
    assert api.invoices.retrieve(renewed.latest_invoice.id).status == "paid"


@fact("Canceling stops the automatic collection of the subscription's finalized invoices.", SDK)
def test_no_collection_after_canceling(api, unpaid, clock):
    api.subscriptions.cancel(unpaid.id)
    clock.move(days=30)
    left = api.invoices.retrieve(unpaid.latest_invoice.id)
    assert (left.status, left.attempt_count, left.next_payment_attempt) == ("open", 1, None)


@fact("A trial's end makes the subscription active before its first real invoice is collected.", DOCS)
def test_trial_end(api, open_session, pay, clock):
    pay(open_session(subscription_data={"trial_period_days": 30}))
    clock.move(days=30, seconds=1)
    active = api.subscriptions.list({"expand": ["data.latest_invoice"]}).data[0]
    assert (active.status, active.latest_invoice.status) == ("active", "draft")


@fact("`customer.subscription.trial_will_end` comes three days before the end, or at once when that is past.", DOCS)
def test_trial_will_end(api, open_session, pay, clock):
    pay(open_session(subscription_data={"trial_period_days": 30}))
    told = {"type": "customer.subscription.trial_will_end"}
    clock.move(days=26)
    assert api.events.list(told).data == []
    clock.move(days=1)
    assert len(api.events.list(told).data) == 1
    pay(open_session(subscription_data={"trial_period_days": 2}))
    assert len(api.events.list(told).data) == 2


@pytest.fixture
def made_with(api, ada):
    """Subscribes Ada through the API with this card."""

    def subscribe(token, **more):
        card = api.payment_methods.attach(token, {"customer": ada.id})
        order = {"customer": ada.id, "default_payment_method": card.id, "expand": ["latest_invoice"]}
        return api.subscriptions.create(order | more)

    return subscribe


@fact("A subscription made with a good card is active, and `customer.subscription.created` comes last.", RECORDED)
def test_created_active(api, gold, made_with):
    assert made_with("pm_card_visa", items=[{"price": gold.id}]).status == "active"
    kinds = [event.type for event in api.events.list({"limit": 8}).data]
    assert kinds[0] == "customer.subscription.created"
    assert kinds[-1] == "invoice.finalized"


@fact(
    "One whose first invoice is not paid is `incomplete`: declined with one attempt counted, 3DS with none.", RECORDED
)
@pytest.mark.parametrize(("token", "attempts"), [("chargeCustomerFail", 1), ("threeDSecure2Required", 0)])
def test_incomplete(gold, made_with, token, attempts):
    made = made_with(f"pm_card_{token}", items=[{"price": gold.id}])
    invoice = made.latest_invoice
    assert (made.status, invoice.status, invoice.attempted) == ("incomplete", "open", True)
    assert invoice.attempt_count == attempts


@fact("With `error_if_incomplete` it is a 402 and nothing is made; `pending_if_incomplete` is a 400.", RECORDED)
def test_error_if_incomplete(api, gold, made_with):
    for behavior, status in (("error_if_incomplete", 402), ("pending_if_incomplete", 400)):
        with pytest.raises(stripe.StripeError) as refusal:
            made_with("pm_card_chargeCustomerFail", items=[{"price": gold.id}], payment_behavior=behavior)
        assert refusal.value.http_status == status
    assert api.subscriptions.list({"status": "all"}).data == []


@fact(
    "With `default_incomplete` the intent is unconfirmed; the invoice's `confirmation_secret` is shown on asking.",
    RECORDED,
)
def test_default_incomplete(api, gold, made_with):
    more = {"payment_behavior": "default_incomplete", "expand": ["latest_invoice.confirmation_secret"]}
    made = made_with("pm_card_visa", items=[{"price": gold.id}], **more)
    intent = api.payment_intents.list().data[0]
    assert (made.status, intent.status) == ("incomplete", "requires_payment_method")
    assert made.latest_invoice.confirmation_secret.client_secret == intent.client_secret


@fact("A trial that ends without a card is canceled, paused or invoiced, as its `trial_settings` say.", DOCS)
@pytest.mark.parametrize(
    ("behavior", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")]
)
def test_trial_without_card(api, ada, gold, clock, behavior, status):
    order = {"customer": ada.id, "items": [{"price": gold.id}], "trial_period_days": 30}
    made = api.subscriptions.create(order | {"trial_settings": {"end_behavior": {"missing_payment_method": behavior}}})
    clock.move(days=31)
    assert api.subscriptions.retrieve(made.id).status == status


@fact(
    "After 23 hours incomplete it is `incomplete_expired`, its invoice void: one `customer.subscription.updated`.",
    RECORDED,
)
def test_incomplete_expired(api, gold, made_with, clock):
    made = made_with("pm_card_threeDSecure2Required", items=[{"price": gold.id}])
    clock.move(hours=23)
    expired = api.subscriptions.retrieve(made.id, {"expand": ["latest_invoice"]})
    assert (expired.status, expired.latest_invoice.status) == ("incomplete_expired", "void")
    assert len(api.events.list({"type": "customer.subscription.updated"}).data) == 1


@pytest.fixture
def ticking(api, settings):
    """A test clock in 2030 that advances slowly, with a customer."""
    settings.LOCAL_STRIPE = settings.LOCAL_STRIPE | {"SECONDS_TO_ADVANCE": 3600}
    start = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())
    made = api.test_helpers.test_clocks.create({"frozen_time": start})
    api.customers.create({"test_clock": made.id, "payment_method": "pm_card_visa"})
    return made


@fact("While a test clock advances, writes to its objects are a 429; it is `advancing`, then `ready`.", DOCS)
def test_underway(api, ticking):
    advance = {"frozen_time": ticking.frozen_time + 60}
    assert api.test_helpers.test_clocks.advance(ticking.id, advance).status == "advancing"
    with pytest.raises(stripe.RateLimitError, match="Test clock advancement underway - cannot perform modifications"):
        api.customers.create({"test_clock": ticking.id})


@fact("Customers on a test clock are left out of lists unless it is named.", ISSUES)
def test_left_out(api, ticking):
    assert api.customers.list().data == []
    assert len(api.customers.list({"test_clock": ticking.id}).data) == 1


@fact("On a test clock subscriptions and invoices have its time; events, charges and intents the real one.", ISSUES)
def test_two_times(api, ticking, gold, clock):
    customer = api.customers.list({"test_clock": ticking.id}).data[0]
    card = api.payment_methods.list({"customer": customer.id}).data[0].id
    items = [{"price": gold.id}]
    made = api.subscriptions.create({"customer": customer.id, "items": items, "default_payment_method": card})
    real = int(clock.now.timestamp())
    assert (made.created, api.invoices.list().data[0].created) == (ticking.frozen_time, ticking.frozen_time)
    assert (api.charges.list().data[0].created, api.payment_intents.list().data[0].created) == (real, real)
    assert api.events.list().data[0].created == real


@fact("A clock goes forward only, by two intervals of its shortest subscription, or two years without any.", SDK)
def test_bounds(api, ticking):
    for target in (ticking.frozen_time, ticking.frozen_time + 731 * 86_400):
        with pytest.raises(stripe.InvalidRequestError):
            api.test_helpers.test_clocks.advance(ticking.id, {"frozen_time": target})


@fact("A test clock has at most three customers, with at most three subscriptions each.", DOCS)
def test_three_of_three(api, ticking):
    for _ in range(2):
        api.customers.create({"test_clock": ticking.id})
    with pytest.raises(stripe.InvalidRequestError):
        api.customers.create({"test_clock": ticking.id})


@fact("A test clock tells when it was `created`, is `advancing`, is `ready` and was `deleted`.", SDK)
def test_clock_events(api, ticking, settings):
    settings.LOCAL_STRIPE = settings.LOCAL_STRIPE | {"SECONDS_TO_ADVANCE": 0}
    api.test_helpers.test_clocks.advance(ticking.id, {"frozen_time": ticking.frozen_time + 60})
    api.test_helpers.test_clocks.delete(ticking.id)
    told = [event.type for event in api.events.list({"limit": 100}).data if "test_clock" in event.type]
    assert told == [f"test_helpers.test_clock.{what}" for what in ("deleted", "ready", "advancing", "created")]


@fact("Deleting a test clock deletes its customers; after 30 days that happens by itself.", DOCS)
def test_clock_deleted(api, ticking, clock):
    customer = api.customers.list({"test_clock": ticking.id}).data[0]
    clock.move(days=30)
    assert api.customers.retrieve(customer.id).deleted


def test_every_fact_stands_in_the_documentation():
    text = (Path(__file__).parents[2] / "docs" / "local-stripe.md").read_text(encoding="utf-8")
    missing = [sentence for sentence, source in FACTS.items() if f"| {sentence} | {source} |" not in text]
    assert missing == []
