"""Shops and their keys for staff: who may ask the perk API, with what, since when. A new key is shown once.

The page that shows it is the answer to the very POST that made it: the key is in no session, no redirect and no log.
Sent again, that POST finds things changed, makes nothing, and says so.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership import clock, stories
from membership.console import steps
from membership.console.access import act, page, staff_of
from membership.models import AuditEntry
from membership.roles import Permission
from membership.templatetags import vip
from perks import keys
from perks.models import LIVE_KEYS_PER_SHOP, ApiKey, Shop

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.http import HttpRequest

UNTIL_REVOKED = "until-revoked"
OVERLAPS = {
    "0": _("not at all: it is refused at once"),
    "1": _("1 hour"),
    "24": _("24 hours"),
    "168": _("7 days"),
    UNTIL_REVOKED: _("until somebody revokes it"),
}


class WhyForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("It is kept with the change."),
        max_length=200,
        widget=forms.Textarea({"rows": 2}),
    )


class KeyForm(WhyForm):
    field_order: tuple[str, ...] = ("scopes", "reason")
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=[(scope, _(words)) for scope, words in keys.SCOPES.items()],
        initial=["perks:check", "perks:redeem", "members:read", "cards:verify"],
        widget=forms.CheckboxSelectMultiple,
    )


class ShopForm(KeyForm):
    field_order = ("name", "scopes", "reason")
    name = forms.CharField(label=_("Shop"), help_text=_("As colleagues will know it."), max_length=80)


class RotateForm(WhyForm):
    field_order = ("overlap", "reason")
    overlap = forms.ChoiceField(
        label=_("How long the old key works on"),
        help_text=_("As long as the shop needs to take the new one in."),
        choices=list(OVERLAPS.items()),
        initial="24",
    )


@dataclass(frozen=True)
class KeyRow:
    """A key as colleagues know it: by its first characters. `until`: from then on it is, or was, refused."""

    key: ApiKey
    works: bool
    until: datetime | None
    by: str
    reason: str
    scopes: list[str]


@page(Permission.KEYS)
def shops(request: HttpRequest) -> HttpResponse:
    """Every shop with its keys, those that work first."""
    rows = _rows(clock.now())
    listed = [(shop, rows[shop.pk]) for shop in Shop.objects.order_by("name")]
    return render(request, "console/shops.html", {"staff": staff_of(request), "shops": listed})


def _rows(at: datetime) -> dict[int, list[KeyRow]]:
    """By shop. Who made a key, and why, stands in the audit."""
    made = {one.data.get("key"): one for one in AuditEntry.objects.filter(verb="create_key").order_by("pk")}
    names = stories.names_of({one.actor for one in made.values()})
    rows: dict[int, list[KeyRow]] = defaultdict(list)
    for key in ApiKey.objects.order_by("-created_at", "-pk"):
        entry, until = made.get(key.prefix), key.revoked_at or key.retires_at
        by, reason = (names[entry.actor], entry.data.get("reason", "")) if entry else ("", "")
        works = until is None or (key.revoked_at is None and at < until)
        scopes = [gettext(keys.SCOPES.get(scope, scope)) for scope in key.scopes]
        rows[key.shop_id].append(KeyRow(key, works, until, by, reason, scopes))
    for found in rows.values():
        found.sort(key=lambda row: not row.works)
    return rows


@act(Permission.KEYS, fresh=True)
def new_shop(request: HttpRequest) -> HttpResponse:
    """A shop that there has not been, with its first key."""

    def preview(asked: dict[str, Any]) -> list[str]:
        if Shop.objects.filter(name__iexact=asked["name"]).exists():
            raise keys.ShopExists
        return [gettext("%(shop)s is let in, with one key.") % {"shop": asked["name"]}, *_scopes(asked["scopes"])]

    def do(asked: dict[str, Any]) -> HttpResponse:
        made = keys.enter(
            shop_name=asked["name"], scopes=asked["scopes"], at=clock.now(), actor=staff_of(request).actor
        )
        return _shown_once(request, asked["name"], made)

    return _take(request, ShopForm, title=_("New shop"), button=_("Let the shop in"), preview=preview, do=do)


@act(Permission.KEYS, fresh=True)
def new_key(request: HttpRequest, pk: int) -> HttpResponse:
    shop, at = _shop(pk), clock.now()

    def preview(asked: dict[str, Any]) -> list[str]:
        others = list(keys.live(at).filter(shop=shop).values_list("prefix", flat=True))
        if len(others) >= LIVE_KEYS_PER_SHOP:
            raise keys.TooManyKeys
        lines = [gettext("%(shop)s gets a new key. It works at once.") % {"shop": shop.name}, *_scopes(asked["scopes"])]
        return lines + [gettext("%(key)s… works on beside it.") % {"key": prefix} for prefix in others]

    def do(asked: dict[str, Any]) -> HttpResponse:
        made = keys.create(shop_name=shop.name, scopes=asked["scopes"], at=at, actor=staff_of(request).actor)
        return _shown_once(request, shop.name, made)

    title = gettext("New key for %(shop)s") % {"shop": shop.name}
    return _take(request, KeyForm, title=title, button=_("Make the key"), preview=preview, do=do)


@act(Permission.KEYS, fresh=True)
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Another key in the place of this one, which works on for a while."""
    key, at = _key(pk), clock.now()

    def preview(asked: dict[str, Any]) -> list[str]:
        _must_work(key, at)
        overlap = _overlap(asked)
        if overlap != timedelta() and keys.live(at).filter(shop=key.shop_id).count() >= LIVE_KEYS_PER_SHOP:
            raise keys.TooManyKeys
        made = gettext("%(shop)s gets a new key with the same scopes. It works at once.") % {"shop": key.shop.name}
        return [made, _what_becomes_of(key, overlap, at)]

    def do(asked: dict[str, Any]) -> HttpResponse:
        made = keys.rotate(prefix=key.prefix, overlap=_overlap(asked), at=at, actor=staff_of(request).actor)
        return _shown_once(request, key.shop.name, made, told=_what_becomes_of(key, _overlap(asked), at, exactly=True))

    title = gettext("Rotate %(key)s…") % {"key": key.prefix}
    return _take(request, RotateForm, title=title, button=_("Make the new key"), preview=preview, do=do)


@act(Permission.KEYS, fresh=True)
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    key, at = _key(pk), clock.now()

    def preview(asked: dict[str, Any]) -> list[str]:
        _must_work(key, at)
        others = keys.live(at).filter(shop=key.shop_id).exclude(pk=key.pk).values_list("prefix", flat=True)
        lines = [gettext("%(key)s… is refused within a second, everywhere, for good.") % {"key": key.prefix}]
        lines += [gettext("%(shop)s still has %(key)s….") % {"shop": key.shop.name, "key": prefix} for prefix in others]
        shut = gettext("%(shop)s has no other key: its checkout is told of no perk until it has a new one.")
        return lines if others else [*lines, shut % {"shop": key.shop.name}]

    def do(asked: dict[str, Any]) -> None:
        keys.revoke(prefix=key.prefix, at=at, actor=staff_of(request).actor)

    title = gettext("Revoke %(key)s…") % {"key": key.prefix}
    return _take(request, WhyForm, title=title, button=_("Revoke it"), preview=preview, do=do)


def _take(
    request: HttpRequest,
    form: type[WhyForm],
    *,
    preview: Callable[[dict[str, Any]], list[str]],
    do: Callable[[dict[str, Any]], HttpResponse | None],
    **words: Any,
) -> HttpResponse:
    step = steps.Step(
        **words,
        about=_("A new key is shown once. Have at hand where it is to be kept.") if form is not WhyForm else "",
        done=_("It is revoked."),
        back=reverse("console-shops"),
        back_words=gettext("Shops and their keys"),
        preview=preview,
        do=do,
    )
    bound = form(request.POST if request.method == "POST" else None)
    return steps.take(request, step, bound, staff=staff_of(request))


def _shown_once(request: HttpRequest, shop: str, made: str, *, told: str = "") -> HttpResponse:
    context = {"staff": staff_of(request), "shop": shop, "key": made, "told": told}
    answer = render(request, "console/key_shown.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


def _scopes(scopes: list[str]) -> list[str]:
    return [gettext("It may: %(what)s.") % {"what": gettext(keys.SCOPES[scope])} for scope in scopes]


def _overlap(asked: dict[str, Any]) -> timedelta | None:
    chosen = asked["overlap"]
    return None if chosen == UNTIL_REVOKED else timedelta(hours=int(chosen))


def _what_becomes_of(key: ApiKey, overlap: timedelta | None, at: datetime, *, exactly: bool = False) -> str:
    """In words. `exactly`: with the moment, which a preview cannot promise: it runs from when it is confirmed."""
    facts: dict[str, Any] = {"key": key.prefix}
    if overlap is None:
        return gettext("%(key)s… works on until somebody revokes it.") % facts
    if not overlap:
        return gettext("%(key)s… is refused within a second.") % facts
    facts["hours"] = int(overlap.total_seconds() // 3600)
    ends = min(key.retires_at or at + overlap, at + overlap)
    if not exactly and ends == at + overlap:
        return gettext("%(key)s… works on for %(hours)s h after that, then it is refused by itself.") % facts
    return gettext("%(key)s… works until %(until)s, then it is refused by itself.") % {
        **facts,
        "until": vip.moment(ends),
    }


def _must_work(key: ApiKey, at: datetime) -> None:
    if not keys.live(at).filter(pk=key.pk).exists():
        raise keys.NoSuchKey


def _shop(pk: int) -> Shop:
    found = Shop.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _key(pk: int) -> ApiKey:
    found = ApiKey.objects.filter(pk=pk).select_related("shop").first()
    if found is None:
        raise Http404
    return found
