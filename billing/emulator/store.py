"""Objects in and out of the table. Every write happens inside the one transaction of a call."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING, Any

from billing.emulator import clock, errors, shapes, timeline
from billing.emulator.models import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

PREFIX = {
    "account": "acct_1",
    "billing_portal.configuration": "bpc_1",
    "billing_portal.session": "bps_1",
    "charge": "ch_3",
    "checkout.session": "cs_test_a1",
    "coupon": "",
    "customer": "cus_",
    "customer_balance_transaction": "cbtxn_1",
    "discount": "di_1",
    "dispute": "du_1",
    "event": "evt_1",
    "invoice": "in_1",
    "invoice_payment": "inpay_1",
    "invoiceitem": "ii_1",
    "item": "li_1",
    "line_item": "il_1",
    "payment_intent": "pi_3",
    "payment_method": "pm_1",
    "price": "price_1",
    "product": "prod_",
    "promotion_code": "promo_1",
    "refund": "re_3",
    "setup_intent": "seti_1",
    "subscription": "sub_1",
    "subscription_item": "si_",
    "test_helpers.test_clock": "clock_1",
    "webhook_endpoint": "we_1",
}
LENGTH = {"coupon": 8, "checkout.session": 56, "customer": 14, "product": 14, "subscription_item": 14}
# What nearly every kind says of itself, and these do not.
UNSAID = {
    "account": ("livemode",),
    "discount": ("created", "livemode"),
    "invoiceitem": ("created",),
    "refund": ("livemode",),
}
# Made in the world's time, also when they belong to a test clock.
IN_THE_WORLD = frozenset({"charge", "event", "payment_intent"})
LETTERS = string.ascii_letters + string.digits


def new_id(kind: str) -> str:
    """A fresh id that looks like Stripe's, e.g. cus_Na6dX7aXxi11N4."""
    return PREFIX[kind] + "".join(secrets.choice(LETTERS) for _ in range(LENGTH.get(kind, 23)))


def create(
    kind: str,
    data: dict[str, Any],
    *,
    parent: str = "",
    key: str = "",
    due_at: int | None = None,
    hidden: dict[str, Any] | None = None,
) -> Record:
    """A new object, complete, made at the world's time unless `data` says otherwise."""
    made_at: int = data.get("created", clock.world() if kind in IN_THE_WORLD else clock.now())
    given = {"id": new_id(kind), "created": made_at, "livemode": False} | data
    for field in UNSAID.get(kind, ()):
        del given[field]
    made = shapes.complete(kind, given)
    if "test_clock" in made:
        made["test_clock"] = clock.test_clock() or None
    customer = made["id"] if kind == "customer" else made.get("customer") or ""
    record = Record(
        stripe_id=made["id"],
        kind=kind,
        parent=parent,
        customer=customer,
        key=key,
        created=made_at,
        due_at=due_at,
        test_clock=clock.test_clock(),
        data=made,
        hidden=hidden or {},
    )
    record.due_at = timeline.next_moment(record)
    record.save()
    return record


def get(kind: str, stripe_id: str, *, param: str | None = None) -> Record:
    """The object. Raises Stripe's `resource_missing`. Inside a write nobody else writes: one transaction at a time.

    `param` names the parameter that held the id; without it the path did.
    """
    try:
        return Record.objects.get(kind=kind, stripe_id=stripe_id, deleted=False)
    except Record.DoesNotExist:
        raise errors.missing(kind, stripe_id, param) from None


def find(stripe_id: str) -> Record | None:
    """Any object by id, deleted ones too."""
    return Record.objects.filter(stripe_id=stripe_id).first()


def find_many(stripe_ids: Iterable[str]) -> dict[str, Record]:
    return {record.stripe_id: record for record in Record.objects.filter(stripe_id__in=set(stripe_ids))}


def of(kind: str, **filters: Any) -> QuerySet[Record]:
    """The living objects of a kind."""
    return Record.objects.filter(kind=kind, deleted=False, **filters)


def save(record: Record) -> None:
    """Write an object back; what is indexed and when it is due follow what it shows."""
    if record.kind != "customer":
        record.customer = record.data.get("customer") or ""
    record.due_at = timeline.next_moment(record)
    record.save()


def delete(record: Record) -> dict[str, Any]:
    """Leave a tombstone and answer with it, as Stripe does."""
    record.deleted = True
    record.due_at = None
    record.save()
    return tombstone(record)


def tombstone(record: Record) -> dict[str, Any]:
    return {"id": record.stripe_id, "object": record.kind, "deleted": True}


def merge_metadata(old: dict[str, Any] | None, new: Any) -> dict[str, str]:
    """Stripe's rule: keys are merged, an empty value drops its key, an empty text drops all."""
    if new == "":
        return {}
    return {key: str(value) for key, value in {**(old or {}), **(new or {})}.items() if value != ""}
