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


@search.finder
def by_order(text: str) -> Iterable[Found]:
    """As the shop wrote it. Two shops may number alike: each member is told with the shop."""
    uses = Redemption.objects.filter(order_ref=text).select_related("member__user", "shop").order_by("-held_at", "-pk")
    told = {use.member_id: use for use in reversed(uses[: search.SHOWN])}
    for use in told.values():
        where = f"{text}, {use.shop.name}" if use.shop else text
        yield Found(use.member, SearchKey.Kind.ORDER, where, exactly=True)


@search.finder
def by_check(text: str) -> Iterable[Found]:
    if decisions.SHAPE.fullmatch(text) is None:
        return
    decisions.flush()
    kept = Decision.objects.filter(pk=text).exclude(member=None).select_related("member__user").first()
    if kept is not None and kept.member is not None:
        yield Found(kept.member, "check", text, exactly=True, address=reverse("console-check", args=[kept.pk]))
