"""Settings in words: what a change of a perk changes, a line a setting, for somebody who sells perks."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from django.utils.formats import number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from pydantic import BaseModel

from membership import money
from perks import places
from perks.kinds.base import Amounts
from perks.setting_problems import nested, parts, shown

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from perks.kinds import KindSettings


MOST_IN_FULL = 8  # entries of two lists together; of longer ones only the difference is told


class Difference(NamedTuple):
    label: str
    before: str
    after: str


def differences(old: KindSettings | None, new: KindSettings | None) -> list[Difference]:
    """Setting by setting, in the order of the form; one that is missing differs in nothing that can be named."""
    return [] if old is None or new is None else _between(old, new, "")


def _between(old: BaseModel, new: BaseModel, above: str) -> list[Difference]:
    found = []
    for name, setting in type(new).model_fields.items():
        before, after = getattr(old, name, None), getattr(new, name)
        if _same(before, after):
            continue
        label = f"{above}{shown(setting).label}"
        if nested(setting) and before is not None and after is not None:
            found += _between(before, after, f"{label}: ")
        elif _is_long(before, after):
            found.append(_of_lists(setting, label, before, after))
        else:
            found.append(Difference(label, _words(setting, before), _words(setting, after)))
    return found


def _same(before: Any, after: Any) -> bool:
    """The order in a list says nothing."""
    listed = isinstance(before, (tuple, frozenset)) and isinstance(after, (tuple, frozenset))
    return set(before) == set(after) if listed else bool(before == after)


def _is_long(before: Any, after: Any) -> bool:
    lists = [one for one in (before, after) if isinstance(one, (tuple, frozenset))]
    return len(lists) == 2 and sum(map(len, lists)) > MOST_IN_FULL


def _of_lists(setting: FieldInfo, label: str, before: Any, after: Any) -> Difference:
    """Only what came and what went: nobody compares thirty countries by eye."""
    came = [_entry(setting, one) for one in sorted(set(after) - set(before))]
    went = [_entry(setting, one) for one in sorted(set(before) - set(after))]
    told = [_("with %(entries)s") % {"entries": ", ".join(came)}] if came else []
    told += [_("without %(entries)s") % {"entries": ", ".join(went)}] if went else []
    entries = ngettext("%(number)s entry", "%(number)s entries", len(before)) % {"number": len(before)}
    return Difference(label, entries, "; ".join(told))


def _words(setting: FieldInfo, value: Any) -> str:
    about = shown(setting)
    if value is None or value == () or value == frozenset() or value == "":
        return _("not set")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, BaseModel):
        return ", ".join(f"{one.label} {one.after}" for one in _all_of(value))
    if isinstance(value, (tuple, frozenset)):
        return ", ".join(_entry(setting, one) for one in (sorted(value) if isinstance(value, frozenset) else value))
    if isinstance(value, dict):
        of_money = parts(setting.annotation)[0] == Amounts
        return " / ".join(_sum(amount, key) if of_money else f"{key}: {amount}" for key, amount in value.items())
    if isinstance(value, (int, Decimal)):
        return _number(value)
    return str((about.choices or {}).get(value, value))


def _all_of(value: BaseModel) -> list[Difference]:
    fields = type(value).model_fields.items()
    told = [(setting, getattr(value, name)) for name, setting in fields]
    return [Difference(str(shown(s).label), "", _words(s, v)) for s, v in told if v not in (None, (), "")]


def _entry(setting: FieldInfo, value: Any) -> str:
    choices = shown(setting).choices or {}
    if value in choices:
        return str(choices[value])
    of_countries = any("A-Z]{2}" in str(arg) for part in parts(setting.annotation) for arg in get_args(part))
    return str(places.name(value)) if of_countries else str(value)


def _number(value: int | Decimal) -> str:
    digits = max(0, -int(Decimal(value).normalize().as_tuple().exponent))
    return number_format(value, digits)


def _sum(amount: int, currency: str) -> str:
    return money.text(amount, currency, get_language() or "en")
