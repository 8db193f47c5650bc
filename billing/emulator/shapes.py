"""Complete objects: what a caller leaves unsaid is filled in from the SDK's own types.

`complete("subscription", {...})` adds null for every nullable field, {} for metadata, [] for lists and a completed
object for required nested ones, so that every answer has the shape of the pinned version.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, get_args, get_origin

from stripe._stripe_object import UntypedStripeObject

from billing.emulator.contract import sdk

# Fields that Stripe sends only when asked to expand them, or only in one state of the object.
ABSENT: dict[str, frozenset[str]] = {
    "Session": frozenset({"line_items"}),
    "Customer": frozenset({"cash_balance", "invoice_credit_balance", "sources", "subscriptions", "tax", "tax_ids"}),
    "Invoice": frozenset({"payments", "confirmation_secret"}),
    "Charge": frozenset({"refunds"}),
    "Coupon": frozenset({"applies_to"}),
    "Price": frozenset({"tiers"}),
    "WebhookEndpoint": frozenset({"secret"}),
    "Event": frozenset({"account", "context"}),
    "Data": frozenset({"previous_attributes"}),
}
# Classes with one nullable field for each kind of payment method: the unused ones are not sent.
ONE_OF_MANY = frozenset({"PaymentMethod", "PaymentMethodDetails", "PaymentMethodOptions"})


class Field(NamedTuple):
    name: str
    nullable: bool
    nested: type | None  # the class of a nested object, or of a list's items
    default: Any  # a type to call, or None when the maker must say


def complete(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """`data` as a whole object of this kind. Fields come in the SDK's order."""
    cls = sdk.resource(kind)
    assert cls is not None, kind
    return _completed(cls, {"object": kind, **data})


def _completed(cls: type, given: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for field in _fields(cls):
        if field.name in given:
            made[field.name] = _filled(field, given[field.name])
        elif field.nullable:
            made[field.name] = None
        elif field.default is not None:
            made[field.name] = field.default()
        elif field.nested is not None:
            made[field.name] = _completed(field.nested, {})
    return made | {key: value for key, value in given.items() if key not in made}


def _filled(field: Field, value: Any) -> Any:
    if field.nested is None:
        return value
    if isinstance(value, dict) and "object" not in value:
        return _completed(field.nested, value)
    if isinstance(value, list):
        return [_completed(field.nested, v) if isinstance(v, dict) and "object" not in v else v for v in value]
    return value


@cache
def _fields(cls: type) -> tuple[Field, ...]:
    absent = ABSENT.get(cls.__name__, frozenset()) | {"deleted"}
    fields = [_field(name, *field) for name, field in sdk.resource_fields(cls).items()]
    return tuple(
        field
        if field.name not in absent and not (cls.__name__ in ONE_OF_MANY and field.nested)
        else field._replace(nullable=False, nested=None, default=None)
        for field in fields
        if field.name != "object"
    )


def _field(name: str, annotation: Any, module: str) -> Field:
    found = sdk.members(annotation, module)
    nullable = type(None) in found
    found = [m for m in found if m is not type(None)]
    only = found[0] if len(found) == 1 else None
    if get_origin(only) is list:
        items = sdk.members(sdk.resolve(get_args(only)[0], module), module)
        return Field(name, nullable, next(filter(sdk.is_resource, items), None), list)
    if UntypedStripeObject in (get_origin(only), only):
        # A map that is not set is left out (the SDK cannot read a null there); metadata is always sent.
        return Field(name, False, None, dict if name == "metadata" or not nullable else None)
    if sdk.is_resource(only):
        return Field(name, nullable, only, None)
    return Field(name, nullable, None, bool if only is bool else None)
