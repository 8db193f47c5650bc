"""Coupons, the promotion codes that customers type, and the discounts they become."""

from __future__ import annotations

import copy
import secrets
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from billing.emulator import clock, events, paging, periods, store
from billing.emulator.errors import StripeError, unsupported
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call


class NotApplicable(Exception):
    """This coupon or code cannot be used here; `reason` says why in one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@endpoint("POST /v1/coupons")
def create_coupon(call: Call) -> Record:
    params = call.params
    call.supports(
        "id", "name", "percent_off", "amount_off", "currency", "duration", "duration_in_months", "max_redemptions",
        "redeem_by", "applies_to", "metadata",
    )  # fmt: skip
    _check_coupon(params)
    given = ("id", "name", "percent_off", "amount_off", "duration_in_months", "max_redemptions", "redeem_by")
    record = store.create(
        "coupon",
        {key: params[key] for key in given if key in params}
        | {
            "currency": params["currency"].lower() if "amount_off" in params else None,
            "duration": params.get("duration", "once"),
            "metadata": store.merge_metadata({}, params.get("metadata")),
            "times_redeemed": 0,
            "valid": True,
        },
        hidden={"applies_to": params.get("applies_to")},
    )
    events.emit("coupon.created", record.data)
    return record


def _check_coupon(params: dict[str, Any]) -> None:
    if ("percent_off" in params) == ("amount_off" in params):
        raise StripeError("You must pass either percent_off or amount_off.", param="percent_off")
    if "percent_off" in params and not 0 < params["percent_off"] <= 100:
        raise StripeError("Invalid percent_off: must be greater than 0 and at most 100.", param="percent_off")
    if "amount_off" in params and "currency" not in params:
        raise StripeError("You must pass currency when passing amount_off", param="currency")
    if (params.get("duration", "once") == "repeating") != ("duration_in_months" in params):
        raise StripeError("duration_in_months belongs to duration=repeating.", param="duration_in_months")
    if "id" in params and store.find(params["id"]) is not None:
        raise StripeError("Coupon already exists.", code="resource_already_exists", param="id")


@endpoint("GET /v1/coupons/{id}")
def retrieve_coupon(call: Call) -> Record:
    return store.get("coupon", call.id)


@endpoint("GET /v1/coupons")
def list_coupons(call: Call) -> dict[str, Any]:
    return paging.page(call, store.of("coupon"))


@endpoint("DELETE /v1/coupons/{id}")
def delete_coupon(call: Call) -> dict[str, Any]:
    record = store.get("coupon", call.id)
    events.emit("coupon.deleted", record.data)
    return store.delete(record)


@endpoint("POST /v1/promotion_codes")
def create_code(call: Call) -> Record:
    params = call.params
    call.supports(
        "promotion", "code", "active", "customer", "expires_at", "max_redemptions", "metadata", "restrictions"
    )
    coupon = store.get("coupon", params["promotion"].get("coupon", ""), param="promotion[coupon]")
    code = params.get("code") or secrets.token_hex(4).upper()
    if store.of("promotion_code", key=code.upper(), data__active=True).exists():
        raise StripeError("An active promotion code with `code: " + code + "` already exists.", param="code")
    restrictions = params.get("restrictions", {})
    if "currency_options" in restrictions:
        raise unsupported("restrictions[currency_options]")
    record = store.create(
        "promotion_code",
        {key: params[key] for key in ("customer", "expires_at", "max_redemptions") if key in params}
        | {
            "active": params.get("active", True),
            "code": code,
            "metadata": store.merge_metadata({}, params.get("metadata")),
            "promotion": {"type": "coupon", "coupon": coupon.stripe_id},
            "restrictions": {"first_time_transaction": False} | restrictions,
            "times_redeemed": 0,
        },
        parent=coupon.stripe_id,
        key=code.upper(),
    )
    events.emit("promotion_code.created", record.data)
    return record


@endpoint("GET /v1/promotion_codes/{id}")
def retrieve_code(call: Call) -> Record:
    return store.get("promotion_code", call.id)


@endpoint("GET /v1/promotion_codes")
def list_codes(call: Call) -> dict[str, Any]:
    found = store.of("promotion_code")
    if "code" in call.params:
        found = found.filter(key=call.params["code"].upper())
    filters = {"active": "data__active", "coupon": "parent", "customer": "customer"}
    return paging.page(call, found, filters, handled=("code",))


@endpoint("POST /v1/promotion_codes/{id}")
def update_code(call: Call) -> Record:
    call.supports("active", "metadata")
    record = store.get("promotion_code", call.id)
    before = copy.deepcopy(record.data)
    if "active" in call.params:
        record.data["active"] = call.params["active"]
    record.data["metadata"] = store.merge_metadata(before["metadata"], call.params.get("metadata"))
    events.updated(record, before)
    return record


# --- use -------------------------------------------------------------------------------------------------------------


def check_coupon(coupon: Record, *, currency: str) -> None:
    """Raises NotApplicable when the coupon is used up, past its date or in another currency."""
    data, now = coupon.data, clock.now()
    if coupon.deleted or not data["valid"] or (data["redeem_by"] and data["redeem_by"] <= now):
        raise NotApplicable("expired")
    if data["max_redemptions"] and data["times_redeemed"] >= data["max_redemptions"]:
        raise NotApplicable("used_up")
    if data["amount_off"] and data["currency"] != currency:
        raise NotApplicable("currency")


def check_code(code: Record, *, customer: str, currency: str, amount: int) -> Record:
    """The coupon behind a usable promotion code. Raises NotApplicable."""
    data, rules = code.data, code.data["restrictions"]
    if not data["active"]:
        raise NotApplicable("inactive")
    if data["expires_at"] and data["expires_at"] <= clock.now():
        raise NotApplicable("expired")
    if data["max_redemptions"] and data["times_redeemed"] >= data["max_redemptions"]:
        raise NotApplicable("used_up")
    if data["customer"] and data["customer"] != customer:
        raise NotApplicable("customer")
    if rules["first_time_transaction"] and customer and has_paid_before(customer):
        raise NotApplicable("first_time")
    if rules["minimum_amount"] and (amount < rules["minimum_amount"] or rules["minimum_amount_currency"] != currency):
        raise NotApplicable("minimum")
    coupon = store.get("coupon", data["promotion"]["coupon"])
    check_coupon(coupon, currency=currency)
    return coupon


def has_paid_before(customer: str) -> bool:
    """Any successful payment of this customer: what `first_time_transaction` asks."""
    return store.of("charge", customer=customer, data__status="succeeded").exists()


def amount_off(coupon: Record, amount: int) -> int:
    """What the coupon takes off an amount in minor units; never more than the amount."""
    if percent := coupon.data["percent_off"]:
        off = amount * Decimal(str(percent)) / 100
        return int(off.to_integral_value(ROUND_HALF_UP))
    return min(amount, int(coupon.data["amount_off"]))


def applies_to(coupon: Record, product: str) -> bool:
    only = coupon.hidden.get("applies_to")
    return not only or product in only.get("products", [])


def spread(coupon: Record, lines: list[tuple[str, int]]) -> list[int]:
    """What the coupon takes off each line of (product, amount): a percentage of it, or a sum used up line by line."""
    made, left = [], coupon.data["amount_off"] or 0
    for product, amount in lines:
        off = 0
        if applies_to(coupon, product):
            off = amount_off(coupon, amount) if coupon.data["percent_off"] else min(left, amount)
            left -= 0 if coupon.data["percent_off"] else off
        made.append(off)
    return made


def given(subscription: Record, coupon: Record, code: Record | None, **more: Any) -> Record:
    """The discount that a subscription gets by a coupon, from now on for as long as the coupon lasts."""
    at, months = clock.now(), coupon.data["duration_in_months"]
    return store.create(
        "discount",
        {
            "customer": subscription.customer,
            "end": periods.after(at, "month", months) if months else None,
            "promotion_code": code.stripe_id if code else None,
            "source": {"type": "coupon", "coupon": coupon.stripe_id},
            "start": at,
            "subscription": subscription.stripe_id,
            **more,
        },
    )


def lasts(discount: Record) -> bool:
    """Whether there is more of it after the first paid invoice, which consumes a `once` coupon."""
    coupon = store.find(discount.data["source"]["coupon"])
    return coupon is not None and coupon.data["duration"] != "once"


def standing(subscription: Record) -> Record | None:
    """The discount on a subscription's next invoice; one whose months are over is taken off."""
    for stripe_id in list(subscription.data["discounts"]):
        discount = store.find(stripe_id)
        if discount is None or (discount.data["end"] is not None and discount.data["end"] <= clock.now()):
            subscription.data["discounts"].remove(stripe_id)
    found = subscription.data["discounts"]
    return store.find(found[0]) if found else None


def redeem(coupon: Record, code: Record | None) -> None:
    """Count one use, on the code too."""
    for record in filter(None, (coupon, code)):
        before = copy.deepcopy(record.data)
        record.data["times_redeemed"] += 1
        most = record.data["max_redemptions"]
        if most and record.data["times_redeemed"] >= most:
            record.data["valid" if record.kind == "coupon" else "active"] = False
        events.updated(record, before)
