"""Reads the types of the installed stripe SDK: what an annotation means, which fields a resource has.

The SDK keeps most imports under `if TYPE_CHECKING:`, so names are resolved from the source's own import lines.
"""

from __future__ import annotations

import ast
import importlib
import typing
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, ForwardRef, Union, get_args, get_origin

import stripe
from stripe._object_classes import OBJECT_CLASSES
from stripe._stripe_object import StripeObject, UntypedStripeObject

ROOT = Path(stripe.__file__).parent
UNIONS = (Union, UnionType)


def source(module: str) -> Path:
    """The file of one of the SDK's modules."""
    path = ROOT.parent / (module.replace(".", "/") + ".py")
    return path if path.exists() else ROOT.parent / module.replace(".", "/") / "__init__.py"


@cache
def _imports(module: str) -> dict[str, tuple[str, str]]:
    """{local name: (module, name there)} of every `from x import y`, those under TYPE_CHECKING too."""
    table = {}
    for node in ast.walk(ast.parse(source(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                table[alias.asname or alias.name] = (node.module, alias.name)
    return table


class _Names(dict[str, Any]):
    """Names in which an annotation of `module` can be evaluated, imports resolved when asked for."""

    def __init__(self, module: str) -> None:
        super().__init__(vars(importlib.import_module(module)))
        self.module = module

    def __missing__(self, name: str) -> Any:
        where, original = _imports(self.module)[name]
        value = self[name] = getattr(importlib.import_module(where), original)
        return value


@cache
def names(module: str) -> _Names:
    return _Names(module)


def resolve(annotation: Any, module: str) -> Any:
    """An annotation of `module` as a type; text and forward references evaluated."""
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    return _evaluated(annotation, module) if isinstance(annotation, str) else annotation


@cache
def _evaluated(annotation: str, module: str) -> Any:
    return eval(annotation, {}, names(module))  # noqa: S307 (the SDK's own text)


def members(annotation: Any, module: str) -> list[Any]:
    """The members of a union, resolved; of anything else, itself."""
    if get_origin(annotation) in UNIONS:
        return [resolve(arg, module) for arg in get_args(annotation)]
    return [annotation]


def is_resource(annotation: Any) -> bool:
    """A class of the SDK with fields of its own (metadata and the like have none)."""
    return (
        isinstance(annotation, type) and issubclass(annotation, StripeObject) and annotation is not UntypedStripeObject
    )


@cache
def resource(kind: str) -> type | None:
    """The SDK's class for an "object" value, e.g. "checkout.session"."""
    if kind not in OBJECT_CLASSES:
        return None
    module, name = OBJECT_CLASSES[kind]
    found: type = getattr(importlib.import_module(module), name)
    return found


@cache
def resource_fields(cls: type) -> dict[str, tuple[Any, str]]:
    """{field on the wire: (annotation, module it is written in)} of a resource class and its bases."""
    fields: dict[str, tuple[Any, str]] = {}
    for base in reversed(cls.__mro__):
        if not issubclass(base, StripeObject) or base is StripeObject:
            continue
        for name, raw in vars(base).get("__annotations__", {}).items():
            annotation = resolve(raw, base.__module__)
            if typing.ClassVar not in (get_origin(annotation), annotation) and not name.startswith("_"):
                fields[name] = (annotation, base.__module__)
    # A Python keyword as a field name is renamed on the wire, e.g. from_ -> from.
    renamed = {there: here for here, there in getattr(cls, "_field_remappings", {}).items()}
    return {renamed.get(name, name): field for name, field in fields.items()}
