"""Form fields for the settings of a perk: one or more for each setting, and the way back from what was entered.

Used by kind_forms only. Money is entered in units of its currency (4.95), and kept in minor units (495).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from django import forms
from django.conf import settings as django_settings
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from membership import money
from perks import places
from perks.basket import Currency
from perks.kinds.base import Amounts, Language
from perks.setting_problems import nested, parts, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic.fields import FieldInfo

COUNTRY = r"^[A-Z]{2}$"


@dataclass(frozen=True)
class Part:
    """A form field: of which setting, under which key of it, with what in it. `nested`: of a setting's own settings."""

    name: str
    setting: str
    field: forms.Field
    initial: Any = None
    key: str = ""
    nested: str = ""
    optional: bool = False


class LinesField(forms.CharField):
    """A list, one entry a line. Any character may stand in an entry but the end of a line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else "\n".join(value)

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != self.prepare_value(data))


class SumField(forms.DecimalField):
    """A sum of money in a currency."""

    def __init__(self, currency: str, **options: Any) -> None:
        self.places = money.decimals(currency)
        super().__init__(min_value=0, max_digits=15, decimal_places=self.places, **options)

    def prepare_value(self, value: Any) -> Any:
        return Decimal(value).scaleb(-self.places) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        entered = super().clean(value)
        return None if entered is None else int(entered.scaleb(self.places))


def parts_of(model: type[BaseModel], settings: BaseModel | None, currencies: Iterable[str]) -> Iterator[Part]:
    """Every part of every setting of `model`, filled from `settings`, else with the model's defaults."""
    offered = tuple(currencies)
    for name, field in model.model_fields.items():
        value = getattr(settings, name) if settings is not None else _default(field)
        inner = nested(field)
        if inner is None:
            yield from _parts(name, field, value, offered)
            continue
        for inner_name, inner_field in inner.model_fields.items():
            inner_value = getattr(value, inner_name) if value is not None else _default(inner_field)
            for part in _parts(inner_name, inner_field, inner_value, offered):
                part.field.required = part.field.required and not _optional(field)
                part.field.label = f"{shown(field).label}: {part.field.label}"
                yield replace(part, name=f"{name}__{part.name}", setting=name, nested=inner_name)


def _default(field: FieldInfo) -> Any:
    value = field.get_default(call_default_factory=True)
    return None if value is PydanticUndefined else value


def _parts(name: str, field: FieldInfo, value: Any, currencies: tuple[str, ...]) -> Iterator[Part]:
    about, kind = shown(field), parts(field.annotation)[0]
    options: dict[str, Any] = {"label": about.label, "help_text": about.help, "required": False}
    if get_origin(kind) is dict and get_args(kind)[0] in (Currency, Language):
        of_money = kind == Amounts
        offered = currencies if of_money else tuple(code for code, _name in django_settings.LANGUAGES)
        for key in dict.fromkeys((*offered, *(value or ()))):
            named = {**options, "label": f"{about.label} ({key})"}
            one: forms.Field = SumField(key, **named) if of_money else forms.CharField(max_length=120, **named)
            yield Part(f"{name}__{key}", name, one, (value or {}).get(key), key)
        return
    entered = _field(kind, field, value, options, currencies)
    yield Part(name, name, entered, _shown_value(value), optional=_optional(field))


def _shown_value(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else sorted(value) if isinstance(value, frozenset) else value


def _field(
    kind: Any, field: FieldInfo, value: Any, options: dict[str, Any], currencies: tuple[str, ...]
) -> forms.Field:
    choices = shown(field).choices or {}
    if kind is bool:
        return forms.BooleanField(**options)
    if get_origin(kind) is Literal:
        return forms.ChoiceField(choices=list(choices.items()), **options)
    if get_origin(kind) in (tuple, frozenset):
        offered = choices or _offered(get_args(kind)[0], value, currencies)
        if offered:
            boxes = forms.CheckboxSelectMultiple
            return forms.MultipleChoiceField(choices=list(offered.items()), widget=boxes, **options)
        return LinesField(**options)
    options["required"] = kind in (int, Decimal) and not _optional(field)
    if kind is int:
        return forms.IntegerField(**options)
    return forms.DecimalField(**options) if kind is Decimal else forms.CharField(**options)


def _offered(entry: Any, value: Any, currencies: tuple[str, ...]) -> Mapping[str, Any]:
    """What can be chosen, if it can be listed: currencies and countries, with those that are set already."""
    known = dict.fromkeys(value or ())
    if entry == Currency:
        return {code: code for code in dict.fromkeys((*currencies, *known))}
    if any(getattr(about, "pattern", "") == COUNTRY for about in _metadata(entry)):
        return {code: places.name(code) for code in dict.fromkeys((*places.COUNTRIES, *known))}
    return {}


def _metadata(entry: Any) -> Iterator[Any]:
    for about in getattr(entry, "__metadata__", ()):
        yield about
        yield from getattr(about, "metadata", ())


def filled(model: type[BaseModel], parts: Mapping[str, Part], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was entered, as the settings model takes it. A setting that may be None is left out where it is empty."""
    found: dict[str, Any] = {}
    for name, part in parts.items():
        value = given.get(name)
        if value is None or value == "" or (value == [] and part.optional):
            continue
        place = found
        *steps, last = filter(None, (part.setting, part.nested, part.key))
        for step in steps:
            place = place.setdefault(step, {})
        place[last] = value
    for name, field in model.model_fields.items():
        if nested(field) and _optional(field) and "uses" not in found.get(name, {}):
            found.pop(name, None)  # an allowance without a number is none
    return found


def _optional(field: FieldInfo) -> bool:
    return type(None) in get_args(field.annotation)
