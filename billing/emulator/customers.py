"""Customers."""

from __future__ import annotations

import copy
import secrets
from typing import TYPE_CHECKING, Any

from billing.emulator import clock, events, paging, payment_methods, store, subscriptions, test_clocks
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call

FIELDS = (
    "address", "business_name", "description", "email", "individual_name", "name", "phone", "preferred_locales",
    "shipping", "tax_exempt",
)  # fmt: skip
INVOICE_SETTINGS = ("default_payment_method", "custom_fields", "footer", "rendering_options")


@endpoint("POST /v1/customers")
def create(call: Call) -> Record:
    call.supports(*FIELDS, "metadata", "balance", "invoice_prefix", "payment_method", "invoice_settings", "test_clock")
    test_clocks.check_customer()
    record = new(call.params)
    if token := call.params.get("payment_method"):
        payment_methods.attach(payment_methods.from_token(token, param="payment_method"), customer=record)
    if settings := call.params.get("invoice_settings"):
        _set_invoice_settings(record, settings)
        store.save(record)
    return record


def new(params: dict[str, Any]) -> Record:
    """A customer from create parameters, with its event."""
    given = {key: _or_null(params[key]) for key in FIELDS if key in params}
    record = store.create(
        "customer",
        {
            "balance": params.get("balance", 0),
            "delinquent": False,
            "invoice_prefix": params.get("invoice_prefix") or secrets.token_hex(4).upper(),
            "invoice_settings": {},
            "metadata": store.merge_metadata({}, params.get("metadata")),
            "next_invoice_sequence": 1,
            "preferred_locales": [],
            "tax_exempt": "none",
        }
        | given,
    )
    events.emit("customer.created", record.data)
    return record


@endpoint("GET /v1/customers/{id}")
def retrieve(call: Call) -> Record | dict[str, Any]:
    gone = store.find(call.id)
    if gone is not None and gone.kind == "customer" and gone.deleted:
        return store.tombstone(gone)
    return store.get("customer", call.id)


@endpoint("GET /v1/customers")
def index(call: Call) -> dict[str, Any]:
    """Customers on a test clock are left out unless it is named."""
    found = store.of("customer", test_clock=call.params.get("test_clock", ""))
    return paging.page(call, found, {"email": "data__email"}, handled=("test_clock",))


@endpoint("POST /v1/customers/{id}")
def update(call: Call) -> Record:
    call.supports(*FIELDS, "metadata", "balance", "invoice_settings")
    record = store.get("customer", call.id)
    before = copy.deepcopy(record.data)
    record.data |= {key: _or_null(call.params[key]) for key in FIELDS if key in call.params}
    record.data["balance"] = call.params.get("balance", record.data["balance"])
    record.data["metadata"] = store.merge_metadata(before["metadata"], call.params.get("metadata"))
    if settings := call.params.get("invoice_settings"):
        _set_invoice_settings(record, settings)
    events.updated(record, before)
    return record


def _set_invoice_settings(record: Record, given: dict[str, Any]) -> None:
    if default := given.get("default_payment_method"):
        payment_methods.of_customer(default, record.stripe_id, param="invoice_settings[default_payment_method]")
    record.data["invoice_settings"] |= {key: _or_null(given[key]) for key in INVOICE_SETTINGS if key in given}


@endpoint("DELETE /v1/customers/{id}")
def delete(call: Call) -> dict[str, Any]:
    record = store.get("customer", call.id)
    for subscription in store.of("subscription", customer=record.stripe_id):
        if subscription.data["status"] not in subscriptions.ENDED:
            subscription.data["canceled_at"] = clock.now()
            subscriptions.end(subscription, at=clock.now())
    events.emit("customer.deleted", record.data)
    return store.delete(record)


@endpoint("GET /v1/customers/{id}/payment_methods")
def list_payment_methods(call: Call) -> dict[str, Any]:
    store.get("customer", call.id)
    return paging.page(call, store.of("payment_method", customer=call.id), {"type": "data__type"})


@endpoint("GET /v1/customers/{customer}/payment_methods/{id}")
def retrieve_payment_method(call: Call) -> Record:
    customer, stripe_id = call.ids
    return payment_methods.of_customer(stripe_id, customer)


def set_delinquent(stripe_id: str, *, delinquent: bool) -> None:
    """How the last invoice went: True after an automatic attempt failed, False once one is paid."""
    record = store.find(stripe_id)
    if record is None or record.deleted or record.data["delinquent"] == delinquent:
        return
    before = copy.deepcopy(record.data)
    record.data["delinquent"] = delinquent
    events.updated(record, before)


def next_invoice_number(customer: Record) -> str:
    """The customer's own numbering: prefix and a sequence, e.g. 3F2A90C1-0001."""
    sequence = customer.data["next_invoice_sequence"]
    customer.data["next_invoice_sequence"] = sequence + 1
    return f"{customer.data['invoice_prefix']}-{sequence:04d}"


def _or_null(value: Any) -> Any:
    return None if value == "" else value
