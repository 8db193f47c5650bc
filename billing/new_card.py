"""Another card: Stripe's page where a member gives one, and what follows from it. Called by views and webhooks.

A card that takes the place of one that failed is used at once: it becomes the subscription's, and what is open is paid
with it, each card once for each invoice. Stripe would try a hard-declined invoice by its schedule only, and a card
given in its portal may be the customer's alone, while the subscription goes on with its own.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse

from billing import dunning, gateway, next_charge, operations, portal_configuration, sync
from billing.models import Customer, Invoice, Operation, Subscription
from membership.models import Membership

if TYPE_CHECKING:
    from membership.models import Member

PAGE, PAY = "card_page", "pay_invoice"


def page(*, member: Member) -> str:
    """The address of Stripe's page for another card, which leads back to mending.

    Raises Customer.DoesNotExist, StripeUnavailable, StripeRefused.
    """
    back = f"{settings.BASE_URL}{reverse('mend-payment')}?back=card"
    params: dict[str, Any] = {
        "customer": Customer.objects.get(member=member).stripe_id,
        "locale": member.user.language,
        "return_url": back,
        "flow_data": {
            "type": "payment_method_update",
            "after_completion": {"type": "redirect", "redirect": {"return_url": back}},
        },
    }
    if configuration := portal_configuration.find():
        params["configuration"] = configuration
    # Each visit is a session of its own: the address of an earlier one has died by now.
    operation = operations.note(key=f"{PAGE}:{uuid.uuid4().hex}", kind=PAGE, params=params, member=member)
    return operations.create(gateway.client().v1.billing_portal.sessions.create, operation).url


def forget(operation: Operation) -> None:
    """For the janitor: a page whose address was lost has run out unseen, and nothing came of it."""
    operations.never_arrived(operation)


def told(customer_id: str) -> None:
    """Something about a customer has changed (webhook): if a payment of theirs is in trouble, look for a new card."""
    for membership in Membership.objects.with_facts().filter(member__customer__stripe_id=customer_id):
        if dunning.trouble_of(membership):
            use(membership)


def use(membership: Membership) -> None:
    """Pay what is open with the card that is there now, unless that is the one that failed; then read what stands.

    Raises StripeUnavailable.
    """
    subscription = next_charge.live(membership)
    if subscription is None:
        return
    card = _card_of(subscription)
    sync.subscription(subscription.stripe_id)
    invoice = dunning.trouble_of(Membership.objects.with_facts().get(pk=membership.pk))
    if invoice and card and card != invoice.failed_card and _ask(membership, invoice, card):
        sync.subscription(subscription.stripe_id)


def _card_of(subscription: Subscription) -> str:
    """The card to charge: the subscription's own, or the customer's where that was given later. "" for none."""
    stripe = gateway.client().v1
    read = gateway.read(stripe.subscriptions.retrieve, subscription.stripe_id)
    customer = gateway.read(stripe.customers.retrieve, read["customer"])
    own = read["default_payment_method"] or ""
    general = (customer.get("invoice_settings") or {}).get("default_payment_method") or ""
    if not general or not own or general == own:
        return own or general
    made = {card: gateway.read(stripe.payment_methods.retrieve, card)["created"] for card in (own, general)}
    if made[general] <= made[own]:
        return own
    gateway.call(stripe.subscriptions.update, subscription.stripe_id, {"default_payment_method": general})
    return general


def _ask(membership: Membership, invoice: Invoice, card: str) -> bool:
    """Ask Stripe to pay the open invoice with this card, once. -> whether an answer came now, whatever it said.

    Member and webhook often come at the same second: whoever finds the other asking waits for that answer, and asks
    under the same key when it is lost.
    """
    key = f"{PAY}:{invoice.stripe_id}:{card}"
    noted = operations.noted(key)
    if noted and noted.state != Operation.State.UNKNOWN:
        return False
    if noted and operations.answer_of_another(noted):
        return True
    operation = noted or operations.note(
        key=key,
        kind=PAY,
        params={"invoice": invoice.stripe_id, "card": card},
        member=membership.member,
    )
    if operations.is_forgotten(operation):
        return False  # the janitor looks what came of it
    repeat(operation)
    return True


def repeat(operation: Operation) -> None:
    """Make the call of one Operation. A card that says no is an answer too. Raises StripeUnavailable."""
    invoices = gateway.client().v1.invoices
    with contextlib.suppress(gateway.StripeRefused):
        operations.attempt(
            operation,
            lambda: invoices.pay(
                operation.params["invoice"],
                {"payment_method": operation.params["card"]},
                {"idempotency_key": operation.key},
            ),
        )


def look_up(operation: Operation) -> None:
    """For the janitor, when the key is too old to ask again: paid or not is all there is to know."""
    invoice_id = operation.params["invoice"]
    if gateway.read(gateway.client().v1.invoices.retrieve, invoice_id)["status"] == "paid":
        operations.done(operation, stripe_id=invoice_id)
    else:
        operations.never_arrived(operation)
