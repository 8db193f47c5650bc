"""Is an answer or an event what the installed SDK declares? A walk over the annotations of its classes.

pydantic cannot build the SDK's resource classes, and they refer to each other in circles.
"""

from __future__ import annotations

import decimal
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args, get_origin

from stripe._stripe_object import StripeObject, UntypedStripeObject

from billing.emulator.contract import sdk
from billing.emulator.contract.sdk import UNIONS, resolve


def check_object(obj: Mapping[str, Any], where: str = "") -> list[str]:
    """What is wrong with an object, by its own "object" field; [] when nothing is."""
    cls = sdk.resource(str(obj.get("object")))
    if cls is None:
        return [f"{where}object: unknown kind {obj.get('object')!r}"]
    return list(_resource(obj, cls, where.rstrip(".")))


def check_event(event: Mapping[str, Any]) -> list[str]:
    """The envelope, the type, data.object; previous_attributes stands on *.updated and nowhere else."""
    data = event.get("data", {})
    problems = check_object(event) + check_object(data.get("object", {}), "data.object.")
    if "previous_attributes" in data and not str(event.get("type")).endswith(".updated"):
        problems.append("data.previous_attributes: only *.updated events have it")
    return problems


def check(value: Any, annotation: Any, module: str, where: str = "") -> Iterable[str]:
    """What is wrong with `value` against an annotation written in `module`."""
    annotation = resolve(annotation, module)
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation is Any or isinstance(annotation, typing.TypeVar):
        return []
    if origin in UNIONS:
        return _union(value, sdk.members(annotation, module), module, where)
    if origin is Literal:
        return [] if value in args else [f"{where}: {value!r} is not one of {', '.join(map(repr, args[:6]))}"]
    if origin is list:
        return _list(value, args[0], module, where)
    if origin is dict or UntypedStripeObject in (origin, annotation):
        return _mapping(value, args, module, where)
    if isinstance(origin, type) and issubclass(origin, StripeObject):  # ListObject[T]
        return _resource(value, origin, where, item=resolve(args[0], module), module=module)
    if sdk.is_resource(annotation):
        return _resource(value, annotation, where)
    return _scalar(value, annotation, where)


def _union(value: Any, members: list[Any], module: str, where: str) -> Iterable[str]:
    if value is None and type(None) in members:
        return []
    members = [m for m in members if m is not type(None)]
    if str in members and any(get_origin(m) is Literal for m in members):
        members.remove(str)  # the local Stripe stays inside the documented values
    if isinstance(value, Mapping) and "object" in value:  # polymorphic: its "object" picks the class
        members = [m for m in members if _tag(m) == value["object"]] or members
    tries = [list(check(value, member, module, where)) for member in members]
    if not all(tries):
        return []
    if isinstance(value, Mapping):  # the member that is a class says most
        return max(tries, key=lambda problems: len(problems[0]))
    return min(tries, key=lambda problems: len(problems))


def _tag(member: Any) -> str | None:
    cls = get_origin(member) or member
    return getattr(cls, "OBJECT_NAME", None) if isinstance(cls, type) else None


def _list(value: Any, item: Any, module: str, where: str) -> Iterable[str]:
    if not isinstance(value, list):
        return [f"{where}: {_named(value)}, expected a list"]
    return [problem for i, one in enumerate(value) for problem in check(one, item, module, f"{where}[{i}]")]


def _mapping(value: Any, args: tuple[Any, ...], module: str, where: str) -> Iterable[str]:
    if not isinstance(value, Mapping):
        return [f"{where}: {_named(value)}, expected an object"]
    if not args:
        return []
    return [p for key, one in value.items() for p in check(one, args[-1], module, f"{where}.{key}")]


def _resource(value: Any, cls: type, where: str, item: Any = None, module: str = "") -> Iterable[str]:
    if not isinstance(value, Mapping):
        yield f"{where}: {_named(value)}, expected {cls.__qualname__}"
        return
    if value.get("deleted") is True and "id" in value:  # a tombstone: {id, object, deleted}
        return
    fields, dot = sdk.resource_fields(cls), f"{where}." if where else ""
    for key in value:
        if key not in fields and not (item is not None and key == "object"):
            yield f"{dot}{key}: not a field of {cls.__qualname__} in this API version"
    for key, (annotation, written_in) in fields.items():
        if key not in value:
            if type(None) not in get_args(annotation):
                yield f"{dot}{key}: missing"
        elif item is not None and key == "data":
            yield from _list(value[key], item, module, f"{dot}data")
        else:
            yield from check(value[key], annotation, written_in, f"{dot}{key}")


def _scalar(value: Any, cls: Any, where: str) -> Iterable[str]:
    if cls is decimal.Decimal:  # decimals travel as text: "unit_amount_decimal": "1000"
        good = isinstance(value, str)
    elif cls is float:
        good = isinstance(value, int | float) and not isinstance(value, bool)
    elif cls is int:
        good = isinstance(value, int) and not isinstance(value, bool)
    else:
        good = not isinstance(cls, type) or isinstance(value, cls)
    return [] if good else [f"{where}: {_named(value)}, expected {getattr(cls, '__name__', cls)}"]


def _named(value: Any) -> str:
    return "null" if value is None else f"{type(value).__name__} {str(value)[:40]!r}"
