"""Between JSON and the models. Fields that a newer API adds are passed over; one that is missing is an error."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

Reader = Callable[[Any], Any]
PLAIN = {str: (str,), int: (int,), bool: (bool,), float: (int, float)}


class Unreadable(ValueError):
    """An answer is not what the schema says."""


def read[T](kind: type[T], value: object) -> T:
    """An answer as its model. Raises Unreadable."""
    return cast("T", _reader(cast("Any", kind))(value))


def written(value: Any) -> Any:
    """A request as JSON takes it: what was not said (None) is left out; a moment needs its zone. Raises ValueError."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value} has no zone")
        return value.isoformat()
    if is_dataclass(value):
        return {f.name: written(part) for f in fields(value) if (part := getattr(value, f.name)) is not None}
    if isinstance(value, Mapping):
        return {name: written(part) for name, part in value.items() if part is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [written(part) for part in value]
    return value


@cache
def _reader(kind: Any) -> Reader:
    origin, parts = get_origin(kind), get_args(kind)
    if kind is Any:
        return lambda value: value
    if kind is datetime:
        return _moment
    if is_dataclass(kind):
        return _model(cast("type[Any]", kind))
    if origin is Literal:  # a value that a newer API adds is handed on: treat one you do not know as a no
        return _plain(str)
    if origin in {Union, types.UnionType}:
        inner = _reader(next(part for part in parts if part is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is list:
        return _list(_reader(parts[0]))
    if origin is dict:
        return _dict(_reader(parts[1]))
    return _plain(kind)


def _plain(kind: type[Any]) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, PLAIN[kind]) or (isinstance(value, bool) and kind is not bool):
            raise Unreadable(f"{value!r} is no {kind.__name__}")
        return value

    return read


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Unreadable(f"{value!r} is no moment") from None
    if moment.tzinfo is None:
        raise Unreadable(f"{value!r} has no zone")
    return moment


def _list(inner: Reader) -> Reader:
    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise Unreadable(f"{value!r} is no list")
        return [inner(part) for part in value]

    return read


def _dict(inner: Reader) -> Reader:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Unreadable(f"{value!r} is no object")
        return {name: inner(part) for name, part in value.items()}

    return read


def _model(kind: type[Any]) -> Reader:
    hints = get_type_hints(kind)
    needed = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}
    readers: dict[str, Reader] = {}

    def read(value: Any) -> Any:
        if not readers:  # not sooner: a model may hold itself
            readers.update({f.name: _reader(hints[f.name]) for f in fields(kind)})
        if not isinstance(value, dict):
            raise Unreadable(f"{value!r} is no {kind.__name__}")
        if missing := needed - value.keys():
            raise Unreadable(f"{kind.__name__} lacks {', '.join(sorted(missing))}")
        return kind(**{name: reader(value[name]) for name, reader in readers.items() if name in value})

    return read
