"""What publishing a draft would change: for whom, from when, and how the plans page would say it. Words for staff."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from membership.models import Tier
from membership.templatetags import vip
from perks import drafts, kinds, members, reach, setting_words
from perks.models import TierPerk

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from perks.models import Perk, PerkDraft
    from perks.reach import Reach
    from perks.setting_words import Difference


@dataclass(frozen=True, kw_only=True)
class TierChange:
    """What changes in one tier, in the words of the plans page. An empty side: the tier does not sell it."""

    tier: Tier
    before: str
    after: str
    settings: list[Difference]
    reach: Reach

    @property
    def may_be_given(self) -> bool:
        return bool(self.after) and self.reach.may_be_given


@dataclass(frozen=True, kw_only=True)
class Preview:
    """`names`: language and new name. `retires`, `returns`: taken off sale, put on it. `stale`: something else is on
    sale than when the draft was saved."""

    draft: PerkDraft
    names: list[tuple[str, str]]
    retires: bool
    returns: bool
    stale: bool
    tiers: list[TierChange] = field(default_factory=list)

    @property
    def giveable(self) -> list[TierChange]:
        return [change for change in self.tiers if change.may_be_given]

    def lines(self, now_for: Collection[str] = ()) -> list[str]:
        told = [
            _("The name in %(language)s becomes “%(name)s”.") % {"language": one[0], "name": one[1]}
            for one in self.names
        ]
        if self.retires:
            told.append(_("It is taken off sale: who joins or renews from now on does not get it."))
        if self.returns:
            told.append(_("It goes on sale."))
        for change in self.tiers:
            told += _lines_of(change, now=change.tier.code in now_for)
        return told


def of(*, perk: Perk, draft: PerkDraft, at: datetime) -> Preview:
    was, wanted = drafts.on_sale(perk), draft.content
    languages = {code: str(name) for code, name in settings.LANGUAGES}
    names = [(languages.get(c, c), n) for c, n in wanted["names"].items() if was["names"].get(c) != n]
    names += [(languages.get(c, c), "–") for c in was["names"] if c not in wanted["names"]]
    tiers = Tier.objects.filter(code__in={*was["tiers"], *wanted["tiers"]}).order_by("rank")
    changes = [change for tier in tiers if (change := _change(perk, tier, was, wanted, at)) is not None]
    return Preview(
        draft=draft,
        names=names if was["published"] else [],
        retires=was["published"] and not wanted["published"],
        returns=wanted["published"] and not was["published"],
        stale=draft.base != was,
        tiers=changes,
    )


def _change(perk: Perk, tier: Tier, was: drafts.Content, wanted: drafts.Content, at: datetime) -> TierChange | None:
    before = was["tiers"].get(tier.code) if was["published"] else None
    after = wanted["tiers"].get(tier.code) if wanted["published"] else None
    if before == after:
        return None
    old, new = (None if one is None else kinds.check(perk.kind, one) for one in (before, after))
    return TierChange(
        tier=tier,
        before="" if before is None else members.words(perk.kind, before),
        after="" if after is None else members.words(perk.kind, after),
        settings=setting_words.differences(old, new),
        reach=reach.of(perk=perk, tier=tier, settings=after, at=at),
    )


def _lines_of(change: TierChange, *, now: bool) -> list[str]:
    facts = {"tier": change.tier.name, "before": change.before, "after": change.after}
    if not change.after:
        told = [_("%(tier)s sells it no more: “%(before)s”.") % facts]
    elif not change.before:
        told = [_("%(tier)s gets it anew: “%(after)s”.") % facts]
    elif change.before != change.after:
        told = [_("%(tier)s: “%(before)s” becomes “%(after)s”.") % facts]
    else:
        told = [_("%(tier)s: the plans page goes on saying “%(after)s”.") % facts]
    for one in change.settings:
        told.append(f"{change.tier.name}, {one.label}: {one.before} → {one.after}.")
    return [*told, *_when(change), *_whom(change, now=now)]


def _when(change: TierChange) -> list[str]:
    """From when: who joins, who renews."""
    reached = change.reach
    facts = {"tier": change.tier.name, "number": reached.renewals}
    told = [_("Who joins %(tier)s from now on finds it so.") % facts]
    if not reached.renewals:
        return told
    facts |= {"first": vip.day(reached.first_at), "last": vip.day(reached.last_at)}
    if reached.renewals == 1:
        return [*told, _("It arrives at renewal for 1 membership of %(tier)s, on %(first)s.") % facts]
    return [
        *told,
        _("It arrives at renewal for %(number)s memberships of %(tier)s: the first on %(first)s, the last on %(last)s.")
        % facts,
    ]


def _whom(change: TierChange, *, now: bool) -> list[str]:
    """For whom: those who bought already."""
    reached, facts = change.reach, {"tier": change.tier.name}
    if not change.after:
        return [_kept(reached.holders, facts)] if reached.holders else []
    if reached.worse:
        loses = ", ".join(f"“{label}”" for label in reached.loses)
        text = ngettext(
            "It takes something from %(number)s membership of %(tier)s: %(loses)s. "
            "What was bought stays until renewal.",
            "It takes something from %(number)s memberships of %(tier)s: %(loses)s. "
            "What was bought stays until renewal.",
            reached.worse,
        )
        return [text % {**facts, "number": reached.worse, "loses": loses}]
    if not reached.gain:
        return []
    if now:
        text = ngettext(
            "%(number)s membership of %(tier)s gets it now, without waiting for its renewal.",
            "%(number)s memberships of %(tier)s get it now, without waiting for their renewal.",
            reached.gain,
        )
    else:
        text = ngettext(
            "It takes nothing from anybody in %(tier)s: it may be given to %(number)s membership now.",
            "It takes nothing from anybody in %(tier)s: it may be given to %(number)s memberships now.",
            reached.gain,
        )
    return [text % {**facts, "number": reached.gain}]


def _kept(holders: int, facts: dict[str, str]) -> str:
    text = ngettext(
        "%(number)s membership of %(tier)s has bought it, and keeps it until its term ends.",
        "%(number)s memberships of %(tier)s have bought it, and keep it until their terms end.",
        holders,
    )
    return text % {**facts, "number": holders}


@dataclass(frozen=True)
class PlansLine:
    """A line of a tier's column on the plans page; `mark`: "new" or "gone" where the draft changes it."""

    words: str
    mark: str = ""


def plans_page(*, perk: Perk, content: drafts.Content, tier: Tier, language: str) -> list[PlansLine]:
    """The tier's column as the plans page would show it in a language, with what goes struck out."""
    wanted = content["tiers"].get(tier.code) if content["published"] else None
    offered = TierPerk.objects.filter(tier=tier, perk__published=True).select_related("perk")
    told: list[tuple[tuple[int, str], PlansLine]] = []
    with translation.override(language):
        new = members.words(perk.kind, wanted) if wanted is not None else ""
        for one in offered:
            words, place = members.words(one.perk.kind, one.sold_settings()), (one.perk.position, one.perk.code)
            if one.perk_id != perk.pk or words == new:
                told.append((place, PlansLine(words)))
            else:
                told.append((place, PlansLine(words, "gone")))
        if new and new not in {line.words for _place, line in told}:
            told.append(((perk.position, perk.code + "~"), PlansLine(new, "new")))
    return [line for _place, line in sorted(told, key=lambda one: one[0])]
