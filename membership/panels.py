"""Panels: pieces of a page that each app registers at start and a frame renders in the same response.

So a page of the ground floor shows what perks and billing know without importing them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.utils.safestring import SafeString, mark_safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    Panel = Callable[..., str]

_panels: defaultdict[str, list[tuple[int, Panel]]] = defaultdict(list)


def register(slot: str, *, order: int) -> Callable[[Panel], Panel]:
    """Register a function (request, **context) -> rendered HTML for a slot; lower `order` comes first."""

    def decorate(panel: Panel) -> Panel:
        _panels[slot].append((order, panel))
        _panels[slot].sort(key=lambda entry: entry[0])
        return panel

    return decorate


def render(slot: str, request: HttpRequest, **context: Any) -> SafeString:
    """Every panel of a slot, in order. Panels return what a template rendered, so their escaping is done.
    Empty when none has anything to say."""
    return mark_safe("".join(panel(request, **context) for _, panel in _panels[slot]).strip())  # noqa: S308
