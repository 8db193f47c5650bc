"""Whether a change of a perk's settings takes anything from anybody. Each setting says beside itself what is better.

Asked before a change of the catalogue may reach what members have already bought (perks.publishing).
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, get_args

from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel

from perks.setting_problems import nested, parts, shown
from perks.shown import Better

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic.fields import FieldInfo


def worse(old: BaseModel, new: BaseModel) -> list[str]:
    """The labels of the settings in which `new` takes something away, or may. Empty: `new` only improves."""
    if type(old) is not type(new):
        return [str(_("Kind"))]
    found = []
    for name, field in type(old).model_fields.items():
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        about = shown(field)
        if about.better is Better.OWN and nested(field):
            if after is not None:  # None: as often as they like
                inner = [about.label] if before is None else worse(before, after)
                found += [str(label) for label in inner]
        elif not _improves(about.better, field, before, after):
            found.append(str(about.label))
    return found


def _improves(better: Better, field: FieldInfo, before: Any, after: Any) -> bool:
    match better:
        case Better.ANY:
            return True
        case Better.MORE:
            return after is None or (before is not None and _each(operator.le, before, after))
        case Better.LESS:
            return after is None or (before is not None and _each(operator.ge, before, after))
        case Better.WIDER:
            return after is None or (before is not None and set(before) <= set(after))
        case Better.NARROWER:
            return set(after) <= set(before)
        case Better.ORDER:
            order = _choices(field)
            return order.index(before) < order.index(after)
        case Better.FIRST:
            return bool(after == _choices(field)[0])
        case _:
            return False


def _each(compares: Callable[[Any, Any], Any], before: Any, after: Any) -> bool:
    """Of numbers, or of sums in every currency that there was."""
    if isinstance(before, dict):
        return before.keys() <= after.keys() and all(compares(before[code], after[code]) for code in before)
    return bool(compares(before, after))


def _choices(field: FieldInfo) -> list[Any]:
    """A setting's values in the order in which it shows them."""
    choices = shown(field).choices
    return list(choices) if choices else [value for part in parts(field.annotation) for value in get_args(part)]
