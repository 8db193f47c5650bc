"""The one box also finds who used a perk on an order, by the shop's order number, and whom a perk check was about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from membership import search
from membership.models import SearchKey
from membership.search import Found
from perks import decisions
from perks.models import Decision, Redemption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet


def used_on(order: str) -> QuerySet[Redemption]:
    """Whose they are is loaded where there are any: nearly nothing that is typed is an order."""
    used = Redemption.objects.filter(order_ref=order).order_by("-held_at", "-pk")
    return used.prefetch_related("member__user", "shop")


@search.finder
def by_order(text: str) -> Iterable[Found]:
    """As the shop wrote it. Two shops may number alike: each member is told with the shop."""
    told: dict[int, list[Redemption]] = {}
    for use in used_on(text)[: search.SHOWN]:
        told.setdefault(use.member_id, []).append(use)
    for theirs in told.values():
        shops = dict.fromkeys(use.shop.name for use in theirs if use.shop)
        yield Found(theirs[0].member, SearchKey.Kind.ORDER, ", ".join([text, *shops]), exactly=True)


@search.finder
def by_check(text: str) -> Iterable[Found]:
    if decisions.SHAPE.fullmatch(text) is None:
        return
    decisions.flush()
    kept = Decision.objects.filter(pk=text).exclude(member=None).select_related("member__user").first()
    if kept is not None and kept.member is not None:
        yield Found(kept.member, "check", text, exactly=True, address=reverse("console-check", args=[kept.pk]))
