"""What is wrong with a perk's settings, for somebody who has never heard of a validator. Used by kinds and forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import BaseModel

from perks.shown import Shown

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

# By pydantic's type of error; filled from its context.
TEXTS = {
    "greater_than_equal": gettext_lazy("must be at least %(ge)s"),
    "greater_than": gettext_lazy("must be more than %(gt)s"),
    "less_than_equal": gettext_lazy("must be at most %(le)s"),
    "int_type": gettext_lazy("must be a whole number"),
    "int_parsing": gettext_lazy("must be a whole number"),
    "int_from_float": gettext_lazy("must be a whole number"),
    "decimal_type": gettext_lazy("must be a number"),
    "decimal_parsing": gettext_lazy("must be a number"),
    "bool_type": gettext_lazy("must be yes or no"),
    "bool_parsing": gettext_lazy("must be yes or no"),
    "string_type": gettext_lazy("must be text"),
    "string_too_short": gettext_lazy("is empty"),
    "string_too_long": gettext_lazy("is longer than %(max_length)s characters"),
    "too_short": gettext_lazy("needs at least one entry"),
    "literal_error": gettext_lazy("must be one of %(expected)s"),
    "dict_type": gettext_lazy("must be a sum for each currency"),
    "tuple_type": gettext_lazy("must be a list"),
    "frozen_set_type": gettext_lazy("must be a list"),
}
PATTERNS = {
    r"^[A-Z]{3}$": gettext_lazy("a currency has three capital letters, such as EUR"),
    r"^[A-Z]{2}$": gettext_lazy("a country has two capital letters, such as NL"),
    r"^[a-z]{2}$": gettext_lazy("a language has two small letters, such as en"),
    r"\S": gettext_lazy("is empty"),
}


def text(error: ErrorDetails) -> str:
    """What is wrong, without naming the setting, as part of a sentence."""
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return _("is missing")
        case "extra_forbidden":
            return _("is not a setting of this kind of perk")
        case "string_pattern_mismatch" if context["pattern"] in PATTERNS:
            return str(PATTERNS[context["pattern"]])
        case kind if kind in TEXTS:
            return str(TEXTS[kind]) % context
        case _:
            return error["msg"].removeprefix("Value error, ").rstrip(".")


def sentence(model: type[BaseModel], error: ErrorDetails) -> str:
    """The whole sentence, with the setting's name as its form shows it."""
    if not error["loc"]:
        return error["msg"].removeprefix("Value error, ")
    where = " → ".join(names(model, error["loc"]))
    if error["type"] == "missing":
        return _("“%(field)s” is missing.") % {"field": where}
    if error["type"] == "extra_forbidden":
        return _("“%(field)s” is not a setting of this kind of perk.") % {"field": where}
    return _("“%(field)s”: %(problem)s.") % {"field": where, "problem": text(error)}


def names(model: type[BaseModel] | None, loc: tuple[int | str, ...]) -> list[str]:
    """The labels of the settings that `loc` leads through; what has none stands for itself."""
    found = []
    for part in loc:
        field = model.model_fields.get(str(part)) if model else None
        label = shown(field).label if field else str(part).replace("_", " ")
        model = nested(field) if field else None
        if part != "[key]":
            found.append(str(label))
    return found


def shown(field: FieldInfo) -> Shown:
    """How the setting is shown."""
    return next(about for about in field.metadata if isinstance(about, Shown))


def nested(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a setting that has settings of its own."""
    return next(
        (part for part in parts(field.annotation) if isinstance(part, type) and issubclass(part, BaseModel)), None
    )


def parts(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of a union without None; a type that is no union is its only one."""
    if type(None) not in get_args(annotation):
        return (annotation,)
    return tuple(part for part in get_args(annotation) if part is not type(None))
