"""Parameters, checked and turned into numbers and booleans by the SDK's own types.

The SDK's TypedDicts are rebuilt for pydantic: names resolved, unknown keys forbidden, the open enums
(`Literal[...] | str`) closed again. Lax mode, because what travels is form text ("true", "7").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Union, cast, get_args, get_origin

import typing_extensions as te
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from stripe._request_options import RequestOptions
from stripe._stripe_object import UntypedStripeObject

from billing.emulator.contract import sdk

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from billing.emulator.contract.routes import Route

# SDK keyword options that some *Params inherit; they travel as headers, never as parameters.
OPTIONS = frozenset(RequestOptions.__annotations__)


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one parameter; `kind` is pydantic's name of it, e.g. extra_forbidden."""

    param: str
    kind: str
    expected: str
    value: Any


def parse(route: Route, params: dict[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """The parameters with their types, and what is wrong with them."""
    if route.params is None:
        return {}, [Problem(name, "extra_forbidden", "", value) for name, value in params.items()]
    try:
        return cast("dict[str, Any]", _adapter(route.module, route.params).validate_python(params)), []
    except ValidationError as error:
        return {}, _problems(error.errors(include_url=False))


@cache
def _adapter(module: str, name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_closed(sdk.names(module)[name]))


def _fields(cls: type) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for base in reversed([b for b in getattr(cls, "__orig_bases__", ()) if te.is_typeddict(b)]):
        fields |= _fields(base)
    return fields | cls.__annotations__


@cache
def _closed(cls: type) -> Any:
    module, fields = cls.__module__, {}
    for key, raw in _fields(cls).items():
        if key in OPTIONS:
            continue
        annotation = sdk.resolve(raw, module)
        optional = get_origin(annotation) is te.NotRequired or key in cls.__optional_keys__  # type: ignore[attr-defined]
        if get_origin(annotation) in (te.NotRequired, te.Required):
            annotation = get_args(annotation)[0]
        closed = _closed_type(annotation, module)
        fields[key] = te.NotRequired[closed] if optional else te.Required[closed]
    made = te.TypedDict(cls.__name__, fields)  # type: ignore[misc]
    return with_config(ConfigDict(extra="forbid", arbitrary_types_allowed=True))(made)


def _closed_type(annotation: Any, module: str) -> Any:
    annotation = sdk.resolve(annotation, module)
    origin, args = get_origin(annotation), get_args(annotation)
    if te.is_typeddict(annotation):
        return _closed(annotation)
    if UntypedStripeObject in (origin, annotation):  # metadata and the like
        return dict[str, Any]
    if origin in sdk.UNIONS:
        return Union[tuple(_closed_type(m, module) for m in _closed_union(annotation, module))]  # noqa: UP007
    if origin in (list, dict):
        return origin[tuple(_closed_type(arg, module) for arg in args)]
    return annotation


def _closed_union(annotation: Any, module: str) -> list[Any]:
    """An enum without its `| str`; but Literal[''] | str means "text, or empty to unset" and stays."""
    members = sdk.members(annotation, module)
    enums = [m for m in members if get_origin(m) is Literal and set(get_args(m)) != {""}]
    return [m for m in members if m is not str] if enums else members


def _problems(errors: list[ErrorDetails]) -> list[Problem]:
    """One problem a place; a union reports one error a member, of which the deepest says most."""
    found: dict[tuple[str, ...], Problem] = {}
    for error in errors:
        where = tuple(str(part) for part in error["loc"] if not _is_member_name(part))
        if any(other[: len(where)] == where and other != where for other in found):
            continue
        name = where[0] + "".join(f"[{part}]" for part in where[1:]) if where else ""
        known = found.get(where)
        if known is None or known.expected == "''":  # Literal[''] is never the member that was meant
            expected = str(error.get("ctx", {}).get("expected", ""))
            found[where] = Problem(name, error["type"], expected, error.get("input"))
    return list(found.values())


def _is_member_name(part: Any) -> bool:
    if not isinstance(part, str):
        return False
    return "Params" in part or "[" in part or part in {"str", "int", "bool", "float", "decimal"}
