"""The kinds of perk. Each module of this folder that has a CODE is one; a new kind touches nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from django.utils.translation import gettext as _
from pydantic import ValidationError

from perks import setting_problems
from perks.kinds.base import Effect, KindSettings, Listed, Question, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "ALL",
    "BadSettings",
    "Effect",
    "Kind",
    "KindSettings",
    "Listed",
    "Question",
    "Refusal",
    "check",
    "listed",
    "load",
]


class Kind(Protocol):
    """The shape of a kind's module (see base.py)."""

    CODE: str
    LABEL: Any
    Settings: type[KindSettings]

    def refuse(self, settings: Any, question: Question) -> Refusal | None: ...
    def effect(self, settings: Any, question: Question) -> Effect: ...
    def sentence(self, settings: Any, question: Question) -> str: ...
    def words(self, settings: Any) -> str: ...


def _find() -> dict[str, Kind]:
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return {m.CODE: cast("Kind", m) for m in modules if hasattr(m, "CODE")}


ALL: dict[str, Kind] = _find()
LAST = frozenset(code for code, kind in ALL.items() if getattr(kind, "LAST", False))


def listed(kind: Kind, settings: KindSettings) -> Listed | None:
    """By name what the perk's words only count; None: they count nothing."""
    by_name: Callable[[Any], Listed | None] = getattr(kind, "listed", lambda _settings: None)
    return by_name(settings)


class BadSettings(ValueError):
    """A perk's settings cannot be used. `problems` are sentences for the person who entered them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def check(kind: str, settings: Mapping[str, Any]) -> KindSettings:
    """The settings, checked. Raises BadSettings."""
    if kind not in ALL:
        raise BadSettings([_("There is no kind of perk called “%(kind)s”.") % {"kind": kind}])
    try:
        return ALL[kind].Settings.model_validate(settings)
    except ValidationError as error:
        raise BadSettings([setting_problems.sentence(ALL[kind].Settings, e) for e in error.errors()]) from None


@lru_cache(maxsize=1024)
def load(kind: str, settings: str) -> tuple[Kind, KindSettings]:
    """A kind and its settings as sold (JSON). Few distinct ones exist, however many members hold them."""
    return ALL[kind], ALL[kind].Settings.model_validate_json(settings)
