"""Facts about changes of plan at the real Stripe, each shown on the local one (see test_facts)."""

from __future__ import annotations

import pytest
import stripe

from tests.emulator import people
from tests.emulator.conftest import make_price
from tests.emulator.test_facts import DOCS, RECORDED, SDK, fact


@pytest.fixture
def sell(api):
    """Makes a yearly price of so many cents."""
    return lambda cents, name="Platinum", **more: make_price(api, name, cents, **more)


@pytest.fixture
def change(api, bought):
    """Changes the bought subscription's price, invoicing at once unless told otherwise."""

    def make(price, **more):
        item = {"id": bought.subscription.items.data[0].id, "price": price.id}
        return api.subscriptions.update(
            bought.subscription.id, {"items": [item], "proration_behavior": "always_invoice"} | more
        )

    return make


@pytest.fixture
def preview(api, bought):
    """What the change would cost."""

    def make(price, **more):
        item = {"id": bought.subscription.items.data[0].id, "price": price.id}
        details = {"items": [item], "proration_behavior": "always_invoice"} | more
        return api.invoices.create_preview({"subscription": bought.subscription.id, "subscription_details": details})

    return make


def newest(api):
    return api.invoices.list().data[0]


def amounts(invoice):
    return [line.amount for line in invoice.lines.data]


HALF = 365 * 12  # hours of a year without 29 February


@fact(
    "A change of price prorates by the second: minus the old one's unused time, plus the new one's to the end.",
    RECORDED,
)
def test_to_the_second(api, bought, change, sell, clock):
    clock.move(seconds=1)
    change(sell(19900))
    whole = 365 * 86_400
    assert amounts(newest(api)) == [-11900 * (whole - 1) // whole, 19900 * (whole - 1) // whole]


@fact("Each proration line is floored on its own: -2.5 becomes -3 and +4.5 becomes +4.", RECORDED)
def test_floored(api, open_session, pay, clock, sell):
    pay(open_session(line_items=[{"price": sell(5, "Small").id, "quantity": 1}], subscription_data=None))
    subscription = api.subscriptions.list().data[0]
    clock.move(hours=HALF)
    item = {"id": subscription.items.data[0].id, "price": sell(9, "Less small").id}
    api.subscriptions.update(subscription.id, {"items": [item], "proration_behavior": "create_prorations"})
    assert [one.amount for one in reversed(api.invoice_items.list({"pending": True}).data)] == [-3, 4]


@fact("A changed quantity credits all of the old and debits all of the new.", RECORDED)
def test_whole_configuration(api, bought, clock):
    clock.move(hours=HALF)
    item = {"id": bought.subscription.items.data[0].id, "quantity": 3}
    api.subscriptions.update(bought.subscription.id, {"items": [item], "proration_behavior": "always_invoice"})
    assert amounts(newest(api)) == [-5950, 17850]


@fact("The lines read “Unused time on X after 2 Mar 2026” and “Remaining time on …”, without a “1 ×”.", RECORDED)
def test_texts(api, bought, change, sell):
    change(sell(19900))
    assert [line.description for line in newest(api).lines.data] == [
        "Unused time on Gold membership after 2 Mar 2026",
        "Remaining time on Platinum after 2 Mar 2026",
    ]


@fact(
    "Such a line's parent is `subscription_item_details` with `proration: true`, and it is not discountable.", RECORDED
)
def test_shape(api, bought, change, sell):
    change(sell(19900))
    for line in newest(api).lines.data:
        assert line.parent.type == "subscription_item_details"
        assert line.parent.subscription_item_details.proration
        assert not line.discountable


@fact("Flexible billing credits what was really debited, with its discount.", DOCS)
def test_what_was_debited(api, open_session, coupon, pay, clock, sell):
    coupon("WELCOME", percent_off=20)
    made = api.promotion_codes.list({"code": "WELCOME"}).data[0]
    pay(open_session(discounts=[{"promotion_code": made.id}]))
    subscription = api.subscriptions.list().data[0]
    clock.move(hours=HALF)
    item = {"id": subscription.items.data[0].id, "price": sell(19900).id}
    api.subscriptions.update(subscription.id, {"items": [item], "proration_behavior": "always_invoice"})
    assert amounts(newest(api)) == [-4760, 9950]


@fact("`always_invoice` invoices and collects at once: `subscription_update`, its period from now to now.", RECORDED)
def test_at_once(api, bought, change, sell, clock):
    clock.move(hours=HALF)
    change(sell(19900))
    invoice, now = newest(api), int(clock.now.timestamp())
    assert (invoice.billing_reason, invoice.status, invoice.amount_paid) == ("subscription_update", "paid", 4000)
    assert (invoice.period_start, invoice.period_end) == (now, now)


@fact("A negative sum is `paid` with nothing due; the credit goes to the balance as `applied_to_invoice`.", RECORDED)
def test_credit(api, ada, bought, change, sell, clock):
    clock.move(hours=HALF)
    change(sell(2900, "Bronze"))
    invoice = newest(api)
    assert (invoice.status, invoice.total, invoice.amount_due, invoice.ending_balance) == ("paid", -4500, 0, -4500)
    assert api.customers.retrieve(ada.id).balance == -4500
    moved = api.customers.balance_transactions.list(ada.id).data[0]
    assert (moved.type, moved.amount, moved.invoice) == ("applied_to_invoice", -4500, invoice.id)


@fact("Less than 50 cents is `paid` uncharged and owed on the balance, as `invoice_too_small`.", RECORDED)
def test_too_small(api, ada, bought, change, sell):
    change(sell(11949))
    invoice = newest(api)
    assert (invoice.status, invoice.total, invoice.amount_due) == ("paid", 49, 0)
    moved = api.customers.balance_transactions.list(ada.id).data[0]
    assert (moved.type, moved.amount, moved.ending_balance) == ("invoice_too_small", 49, 49)


@fact("A balance is applied to an invoice when it is finalized.", RECORDED)
def test_balance(api, ada, bought, change, sell):
    api.customers.balance_transactions.create(ada.id, {"amount": -3000, "currency": "eur"})
    change(sell(19900))
    invoice = newest(api)
    assert (invoice.total, invoice.starting_balance, invoice.amount_paid) == (8000, -3000, 5000)
    assert api.customers.retrieve(ada.id).balance == 0


@fact("`create_prorations` leaves the lines to the next invoice; `none` makes none.", RECORDED)
def test_later(api, bought, change, sell, clock):
    clock.move(hours=HALF)
    change(sell(19900), proration_behavior="create_prorations")
    assert amounts(api.invoices.create_preview({"subscription": bought.subscription.id})) == [-5950, 9950, 19900]
    assert len(api.invoices.list().data) == 1
    change(sell(2900), proration_behavior="none")
    assert len(api.invoice_items.list({"pending": True}).data) == 2


@fact("The update of a previewed change with the same `proration_date` charges what the preview said.", DOCS)
def test_previewed(api, bought, change, preview, sell, clock):
    clock.move(hours=HALF)
    price, day = sell(19900), int(clock.now.timestamp())
    shown = preview(price, proration_date=day)
    clock.move(minutes=9)
    change(price, proration_date=day)
    assert (newest(api).amount_paid, amounts(newest(api))) == (shown.amount_due, amounts(shown))


@fact("Another interval begins a new period now, and the anchor with it.", DOCS)
def test_other_interval(api, bought, change, make_monthly, clock):
    clock.move(hours=HALF)
    changed, now = change(make_monthly), int(clock.now.timestamp())
    assert changed.billing_cycle_anchor == changed.items.data[0].current_period_start == now
    assert amounts(newest(api)) == [-5950, 1290]


@pytest.fixture
def make_monthly(api):
    return make_price(api, "Gold by the month", 1290, interval="month")


@fact("With `error_if_incomplete` a card that will not pay is a 402, and nothing is changed.", DOCS)
def test_declined(api, ada, bought, change, sell):
    card = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": ada.id})
    api.subscriptions.update(bought.subscription.id, {"default_payment_method": card.id})
    with pytest.raises(stripe.CardError):
        change(sell(19900), payment_behavior="error_if_incomplete")
    assert api.subscriptions.retrieve(bought.subscription.id).items.data[0].price.unit_amount == 11900
    assert len(api.invoices.list().data) == 1


@fact(
    "Without a word (`allow_incomplete`) it is changed all the same, the invoice open and the status `past_due`.", DOCS
)
def test_changed_unpaid(api, ada, bought, change, sell):
    card = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": ada.id})
    api.subscriptions.update(bought.subscription.id, {"default_payment_method": card.id})
    changed = change(sell(19900))
    assert (changed.status, newest(api).status) == ("past_due", "open")


@fact("Moving `trial_end` moves the billing anchor, at most two years ahead.", SDK)
def test_trial_end(api, bought, clock):
    later = int(clock.now.timestamp()) + 400 * 86_400
    moved = api.subscriptions.update(bought.subscription.id, {"trial_end": later, "proration_behavior": "none"})
    assert (moved.status, moved.billing_cycle_anchor, moved.trial_end) == ("trialing", later, later)
    assert moved.items.data[0].current_period_end == later
    assert len(api.invoices.list().data) == 1
    too_far = {"trial_end": later + 400 * 86_400, "proration_behavior": "none"}
    with pytest.raises(stripe.InvalidRequestError, match="two years"):
        api.subscriptions.update(bought.subscription.id, too_far)


@fact("Paused collection says its behavior and when it resumes; an empty value resumes it.", SDK)
def test_pause_collection(api, bought):
    paused = api.subscriptions.update(bought.subscription.id, {"pause_collection": {"behavior": "keep_as_draft"}})
    assert (paused.status, paused.pause_collection.behavior) == ("active", "keep_as_draft")
    assert api.subscriptions.update(bought.subscription.id, {"pause_collection": ""}).pause_collection is None


@fact("An invoice made before collection was paused is tried all the same.", DOCS)
def test_made_before_the_pause(api, bought, clock):
    clock.move(days=365, minutes=5)
    api.subscriptions.update(bought.subscription.id, {"pause_collection": {"behavior": "keep_as_draft"}})
    clock.move(hours=2)
    assert api.invoices.list({"subscription": bought.subscription.id}).data[0].status == "paid"


@fact("`auto_advance` is switched on drafts and open invoices alone; while it is off, nobody is asked by itself.", DOCS)
def test_auto_advance(api, bought, ada, clock):
    people.turn_cards(ada.id, people.EMPTY)
    clock.move(days=365, hours=2)
    unpaid = api.invoices.list({"subscription": bought.subscription.id}).data[0]
    held = api.invoices.update(unpaid.id, {"auto_advance": False})
    clock.move(days=30)
    assert (held.next_payment_attempt, api.invoices.retrieve(unpaid.id).attempt_count) == (None, 1)
    people.turn_cards(ada.id, people.GOOD)
    api.invoices.update(unpaid.id, {"auto_advance": True})
    assert api.invoices.retrieve(unpaid.id).status == "paid"
    with pytest.raises(stripe.InvalidRequestError):
        api.invoices.update(unpaid.id, {"auto_advance": False})


@fact("Canceling at once with `prorate` leaves a credit waiting as an invoice item.", RECORDED)
def test_cancel_with_a_credit(api, bought, clock):
    clock.move(hours=HALF)
    api.subscriptions.cancel(bought.subscription.id, {"prorate": True})
    assert [one.amount for one in api.invoice_items.list({"pending": True}).data] == [-5950]
    assert len(api.invoices.list().data) == 1


@fact("With `invoice_now` too, that credit's invoice is marked uncollectible: it never reaches the balance.", RECORDED)
def test_cancel_with_an_invoice(api, ada, bought, clock):
    clock.move(hours=HALF)
    api.subscriptions.cancel(bought.subscription.id, {"prorate": True, "invoice_now": True})
    assert (newest(api).status, newest(api).total) == ("uncollectible", -5950)
    assert api.customers.retrieve(ada.id).balance == 0


@fact(
    "With `pending_if_incomplete` a change waits as `pending_update`, its invoice open, until that is paid or voided, "
    "or 23 hours are over.",
    DOCS,
)
@pytest.mark.parametrize(("then", "amount"), [("paid", 19900), ("voided", 11900), ("left", 11900)])
def test_pending_update(api, ada, bought, change, sell, clock, then, amount):
    people.turn_cards(ada.id, people.THREE_DS_ALWAYS)
    waiting = change(sell(19900), payment_behavior="pending_if_incomplete")
    assert (waiting.status, waiting.items.data[0].price.unit_amount) == ("active", 11900)
    assert waiting.pending_update.expires_at == int(clock.now.timestamp()) + 23 * 3600
    assert newest(api).status == "open"
    if then == "paid":
        people.turn_cards(ada.id, people.GOOD)
        api.invoices.pay(waiting.latest_invoice)
    elif then == "voided":
        api.invoices.void_invoice(waiting.latest_invoice)
    else:
        clock.move(hours=23)
    after = api.subscriptions.retrieve(waiting.id)
    assert (after.pending_update, after.items.data[0].price.unit_amount) == (None, amount)
    assert newest(api).status == ("paid" if then == "paid" else "void")
