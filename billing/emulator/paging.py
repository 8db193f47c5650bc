"""Lists: newest first, `limit`, `starting_after`, `ending_before`, `created[...]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing.emulator import store
from billing.emulator.errors import StripeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from billing.emulator.models import Record
    from billing.emulator.wire import Call

PAGING = ("created", "ending_before", "limit", "starting_after")
DEFAULT_LIMIT, MOST = 10, 100


def page(
    call: Call,
    records: QuerySet[Record],
    filters: Mapping[str, str] | None = None,
    handled: tuple[str, ...] = (),
) -> dict[str, Any]:
    """One page of a list.

    `filters` maps a parameter to the field that must equal it, when it is given; `handled` names parameters that the
    caller has filtered by.
    """
    call.supports(*PAGING, *(filters or {}), *handled)
    for param, field in (filters or {}).items():
        if param in call.params:
            records = records.filter(**{field: call.params[param]})
    records = _created(records, call.params.get("created"))
    limit = _limit(call.params.get("limit", DEFAULT_LIMIT))
    if before := call.params.get("ending_before"):
        found = list(records.filter(id__gt=_cursor(before, "ending_before")).order_by("id")[: limit + 1])
        return whole([record.data for record in reversed(found[:limit])], call.path, more=len(found) > limit)
    if after := call.params.get("starting_after"):
        records = records.filter(id__lt=_cursor(after, "starting_after"))
    found = list(records.order_by("-id")[: limit + 1])
    return whole([record.data for record in found[:limit]], call.path, more=len(found) > limit)


def whole(data: list[dict[str, Any]], url: str, *, more: bool = False) -> dict[str, Any]:
    """A list object around `data`."""
    return {"object": "list", "data": data, "has_more": more, "url": url}


def _limit(limit: int) -> int:
    if limit < 1:
        raise StripeError("This value must be greater than or equal to 1.", param="limit")
    if limit > MOST:
        raise StripeError(
            f"This value must be less than or equal to {MOST} (it currently is '{limit}').", param="limit"
        )
    return limit


def _cursor(stripe_id: str, param: str) -> int:
    record = store.find(stripe_id)
    if record is None:
        raise StripeError(f"No such object: '{stripe_id}'", code="resource_missing", param=param)
    return record.id


def _created(records: QuerySet[Record], asked: Any) -> QuerySet[Record]:
    if asked is None:
        return records
    bounds = asked if isinstance(asked, dict) else {"exact": asked}
    return records.filter(**{f"created__{bound}": value for bound, value in bounds.items()})
