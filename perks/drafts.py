"""Drafts: a perk as staff would have it, kept until it is published or thrown away. The only writer of PerkDraft.

What somebody saves is put upon what they saw. Who saw something that is no longer so is told, and nothing is lost:
every save is a row of its own.
"""

from __future__ import annotations

import copy
import hashlib
from typing import TYPE_CHECKING, Any

import orjson
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext_noop

from membership.errors import DomainError
from perks import kinds
from perks.models import Perk, PerkDraft, TierPerk

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from perks.kinds import KindSettings

Content = dict[str, Any]


class Overtaken(DomainError):
    """Somebody saved or published the perk since it was looked at."""

    code = "draft_overtaken"
    message = gettext_noop("Somebody else has changed this perk since you opened it.")


class CodeTaken(DomainError):
    code = "perk_code_taken"
    message = gettext_noop("There is a perk with this code already.")


class NoDraft(DomainError):
    code = "no_draft"
    message = gettext_noop("There is no draft of this perk any more.")


class NothingChanged(DomainError):
    code = "nothing_changed"
    status = 422
    message = gettext_noop("This is what is on sale already: there is nothing to draft.")


def on_sale(perk: Perk) -> Content:
    """What is on sale now: whether at all, under which names, and for each tier that carries it the whole settings."""
    offered = TierPerk.objects.filter(perk=perk).select_related("perk", "tier").order_by("tier__rank")
    tiers = {one.tier.code: as_kept(kinds.check(perk.kind, one.sold_settings())) for one in offered}
    return {"published": perk.published, "names": dict(perk.names), "tiers": tiers}


def as_kept(settings: KindSettings, *, like: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Settings as rows keep them, the same for the same settings: what has no order is sorted, and a list of what
    `like` has is in its order."""
    kept = settings.model_dump(mode="json")
    kept |= {name: sorted(kept[name]) for name in kept if isinstance(getattr(settings, name), frozenset)}
    for name, before in (like or {}).items():
        if isinstance(before, list) and isinstance(kept.get(name), list) and sorted(before) == sorted(kept[name]):
            kept[name] = before
    return kept


def current(perk: Perk) -> PerkDraft | None:
    """The perk's draft, if it has one."""
    newest = _newest(perk)
    return newest if newest is not None and not newest.outcome else None


def content(perk: Perk) -> Content:
    """As the perk is to be: its draft, or what is on sale where there is none."""
    draft = current(perk)
    return draft.content if draft else on_sale(perk)


def seen(perk: Perk) -> str:
    """A mark of what somebody sees who looks now, to be handed to `save`."""
    newest = _newest(perk)
    state = [newest.number, newest.outcome] if newest else [0, ""]
    return hashlib.sha256(orjson.dumps([state, on_sale(perk)], option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def save(*, perk: Perk, changes: Mapping[str, Any], saw: str, at: datetime, actor: str) -> PerkDraft:
    """Put `changes` upon what is drafted, or on sale: "names" and "published" whole, of "tiers" those named (None: the
    tier carries it no more). Raises Overtaken, NothingChanged."""
    with transaction.atomic():
        newest = _newest(perk)
        if saw != seen(perk):
            raise Overtaken
        base, wanted = on_sale(perk), _changed(content(perk), changes)
        if wanted == base:
            raise NothingChanged
        return _insert(perk, newest, base=base, content=wanted, author=actor, saved_at=at)


def begin(*, code: str, kind: str, names: dict[str, str], at: datetime, actor: str) -> PerkDraft:
    """A perk that is not on sale yet, with its first draft. Raises CodeTaken."""
    last = Perk.objects.aggregate(last=Max("position"))["last"] or 0
    try:
        with transaction.atomic():
            perk = Perk.objects.create(code=code, kind=kind, names=names, position=last + 1, published=False)
    except IntegrityError:
        raise CodeTaken from None
    return save(perk=perk, changes={"published": True}, saw=seen(perk), at=at, actor=actor)


def _insert(perk: Perk, newest: PerkDraft | None, **fields: Any) -> PerkDraft:
    """Numbers are taken once: of two who saw the same, the second is told."""
    number = newest.number + 1 if newest else 1
    try:
        with transaction.atomic():
            return PerkDraft.objects.create(perk=perk, number=number, **fields)
    except IntegrityError:
        raise Overtaken from None


def _changed(before: Content, changes: Mapping[str, Any]) -> Content:
    wanted = copy.deepcopy(before) | {name: changes[name] for name in ("published", "names") if name in changes}
    tiers = {**before["tiers"], **changes.get("tiers", {})}
    return wanted | {"tiers": {code: settings for code, settings in tiers.items() if settings is not None}}


def discard(*, perk: Perk, number: int, at: datetime) -> None:
    """Throw the draft away, and with it a perk that was never anything else. Raises NoDraft, where it is another by
    now or none."""
    with transaction.atomic():
        close(perk=perk, number=number, outcome=PerkDraft.Outcome.DISCARDED, at=at)
        if not was_ever_on_sale(perk):
            perk.delete()


def was_ever_on_sale(perk: Perk) -> bool:
    published = PerkDraft.objects.filter(perk=perk, outcome=PerkDraft.Outcome.PUBLISHED)
    return perk.published or perk.tier_perks.exists() or published.exists() or perk.grants.exists()


def close(*, perk: Perk, number: int, outcome: PerkDraft.Outcome, at: datetime) -> None:
    newest = _newest(perk)
    mine = PerkDraft.objects.filter(perk=perk, number=number, outcome="")
    if newest is None or newest.number != number or not mine.update(outcome=outcome, closed_at=at):
        raise NoDraft


def _newest(perk: Perk) -> PerkDraft | None:
    return PerkDraft.objects.filter(perk=perk).order_by("-number").first()
