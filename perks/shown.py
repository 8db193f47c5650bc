"""How a setting is shown to staff, and which change of it is an improvement for the member.

Written beside the setting in its kind's file, as `Annotated[int, Shown("Days", better=Better.MORE)]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrPromise


class Better(Enum):
    """Which change takes nothing from anybody. None is the best value of a setting that may be None."""

    SAME = "it must not change"
    ANY = "members do not notice"
    MORE = "a higher number, or True, in every currency; None means without limit"
    LESS = "a lower number, or False, in every currency; None means no hurdle"
    WIDER = "more entries; None means all"
    NARROWER = "fewer entries"
    ORDER = "further on in its choices"
    FIRST = "the first of its choices is better than any other; the others do not compare"
    OWN = "its own settings say"


@dataclass(frozen=True)
class Shown:
    """A setting's label and help on a form; `choices`: the words for each value of a Literal, in order."""

    label: str | _StrPromise
    help: str | _StrPromise = ""
    better: Better = Better.SAME
    choices: Mapping[str, Any] | None = None
