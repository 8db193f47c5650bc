"""“Why no free delivery on 3 May?”: the perk checks that were asked about a member, and each of them played again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from django.http import Http404
from django.shortcuts import render

from membership import calendar, clock, standing
from membership.console import access
from membership.console.access import staff_of
from membership.console.acts import member_by
from membership.roles import Permission
from perks import checks, decisions
from perks.console import differing
from perks.kinds.base import localized
from perks.models import Decision, Perk
from perks.schemas import CheckIn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from membership.models import Member


SHOWN = 50


class Verdict(NamedTuple):
    """One perk's decision as it was told. `perk` is its name of today, or its code."""

    code: str
    perk: str
    allowed: bool
    reason: str
    message: str
    effect: dict[str, Any]

    @property
    def amount_off(self) -> int:
        return self.effect.get("amount_off") or 0

    def says_as(self, other: Verdict) -> bool:
        """Whether a shop would do the same on both. The words may differ: they name days."""
        return (self.allowed, self.reason, self.effect) == (other.allowed, other.reason, other.effect)


class Asked(NamedTuple):
    kept: Decision
    verdicts: list[Verdict]


class Line(NamedTuple):
    sku: str
    quantity: int
    amount: int
    sale: str


def about(member: Member) -> QuerySet[Decision]:
    return Decision.objects.filter(member=member).select_related("shop").order_by("-decided_at", "-pk")


@access.page(Permission.SEE)
def of_member(request: HttpRequest, number: int) -> HttpResponse:
    """The latest checks about this member, or those of one day of theirs, or about one perk."""
    member = member_by(number)
    decisions.flush()
    day, perk = _day(request.GET.get("day", "")), request.GET.get("perk", "")
    found = about(member)
    if day is not None:
        zone = member.user.time_zone
        found = found.filter(
            decided_at__gte=calendar.day_start(day, zone),
            decided_at__lt=calendar.day_start(day + timedelta(days=1), zone),
        )
    if perk:  # among the checks of one member; the answer is kept as it was sent, without a space
        found = found.filter(answer__contains=f'"perk":{orjson.dumps(perk).decode()}')
    names = _names()
    told = [Asked(kept, _verdicts(kept.answer, names, only=perk)) for kept in found[:SHOWN]]
    context = {
        "staff": staff_of(request),
        "member": member,
        "asked": [one for one in told if one.verdicts or not perk],
        "day": day,
        "wrong_day": bool(request.GET.get("day")) and day is None,
        "perk": perk,
        "perks": sorted(names.items(), key=lambda item: item[1]),
        "full": len(told) == SHOWN,
        "since": clock.now() - decisions.KEPT,
    }
    return render(request, "console/checks.html", context)


@access.page(Permission.SEE)
def one(request: HttpRequest, ident: str) -> HttpResponse:
    """What the shop asked, what it was told, and what the rules say of the same basket today."""
    decisions.flush()
    kept = Decision.objects.select_related("shop", "member__user").filter(pk=ident).first()
    if kept is None or kept.member is None:
        raise Http404
    told = orjson.loads(checks.replay(ident=kept.pk, shop=kept.shop_id, at=clock.now(), parse=CheckIn))
    names = _names()
    then = _verdicts(kept.answer, names)
    today = {v.code: v for v in _verdicts(orjson.dumps(told["today"] or {}), names)}
    basket = told["question"].get("basket")
    now_totals = (told["today"] or {}).get("totals")
    member_then, member_now = told["answer"].get("member"), (told["today"] or {}).get("member")
    context = {
        "staff": staff_of(request),
        "kept": kept,
        "member": kept.member,
        "currency": basket["currency"] if basket else "",
        "lines": _lines(basket),
        "shipping": (basket or {}).get("shipping"),
        "totals": differing.sums(told["answer"].get("totals"), now_totals),
        "totals_today": now_totals is not None,
        "verdicts": [
            (
                verdict,
                now := today.get(verdict.code),
                same := now is not None and now.says_as(verdict),
                differing.why(verdict, now, member_then, member_now) if now is not None and not same else "",
            )
            for verdict in then
        ],
        "then": member_then,
        "until_then": _moment(member_then),
        "now": member_now,
        "until_now": _moment(member_now),
        "zone": own.time_zone if (own := standing.own_membership(kept.member)) else kept.member.user.time_zone,
    }
    return render(request, "console/check.html", context)


def _lines(basket: dict[str, Any] | None) -> list[Line]:
    lines: Iterable[dict[str, Any]] = (basket or {}).get("lines", [])
    return [
        Line(one["sku"], one["quantity"], one["quantity"] * one["unit_amount"], one.get("sale") or "") for one in lines
    ]


def _verdicts(answer: str | bytes, names: dict[str, str], *, only: str = "") -> list[Verdict]:
    return [
        Verdict(
            told["perk"],
            names.get(told["perk"], told["perk"]),
            told["allowed"],
            told["reason"],
            told["message"],
            told.get("effect") or {},
        )
        for told in orjson.loads(answer).get("decisions", [])
        if not only or told["perk"] == only
    ]


def _names() -> dict[str, str]:
    return {code: localized(names) for code, names in Perk.objects.values_list("code", "names")}


def _moment(member: dict[str, Any] | None) -> datetime | None:
    until = (member or {}).get("entitled_until")
    return datetime.fromisoformat(until).astimezone(UTC) if until else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
