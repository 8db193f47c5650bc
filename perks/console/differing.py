"""Why a perk check answers otherwise today than it did then, in one sentence; and what the basket came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from membership.templatetags.desk import STANDINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perks.console.replays import Verdict

    Told = Mapping[str, Any] | None  # the member of an answer: standing, tier, until when

SUMS = {
    "lines": gettext_lazy("Goods"),
    "shipping": gettext_lazy("Delivery"),
    "discount": gettext_lazy("Taken off by perks"),
    "shipping_discount": gettext_lazy("Taken off delivery by perks"),
    "other_discounts": gettext_lazy("The shop's own discounts"),
    "payable": gettext_lazy("To pay"),
}
TAKEN_OFF = ("discount", "shipping_discount", "other_discounts")


class Sum(NamedTuple):
    """Minor units; what is taken off is below nought."""

    words: str
    then: int
    today: int


def sums(then: Mapping[str, int] | None, today: Mapping[str, int] | None) -> list[Sum]:
    """What the basket came to with the perks, then and today; what was taken off neither time is left out."""
    if then is None:
        return []
    told = []
    for name, words in SUMS.items():
        sign = -1 if name in TAKEN_OFF else 1
        one = Sum(str(words), sign * then.get(name, 0), sign * (today or {}).get(name, 0))
        if one.then or one.today or name == "payable":
            told.append(one)
    return told


def why(then: Verdict, today: Verdict, before: Told, after: Told) -> str:
    """Of two answers that differ. What changed about the member comes first: where it did, it is what a clerk needs."""
    was, now = _about(before), _about(after)
    if was["standing"] != now["standing"]:
        return _("It differs because they were %(was)s then, and are %(now)s today.") % {
            "was": _standing(was["standing"]),
            "now": _standing(now["standing"]),
        }
    if was["tier"] != now["tier"]:
        return _("It differs because their tier was %(was)s then, and is %(now)s today.") % {
            "was": was["tier"] or "–",
            "now": now["tier"] or "–",
        }
    return _of_the_perk(then, today)


def _of_the_perk(then: Verdict, today: Verdict) -> str:
    """Standing and tier did not change: it lies with the perk, with what was left of it, or with the day."""
    if today.reason == "used_up":
        return _("It differs because what they had of it has been used up since.")
    if then.reason == "used_up":
        return _("It differs because it was used up then, and they have some of it again.")
    if then.reason in ("not_open_yet", "outside_window"):
        return _("It differs because it was not its time then.")
    if today.reason in ("closed", "outside_window", "not_open_yet"):
        return _("It differs because its time is over, or has not come.")
    if then.allowed == today.allowed:
        return _("The answer is alike, its worth is not: the perk, or what was left of it, changed since.")
    return _(
        "Their standing and tier did not change. The perk's settings, what they hold of it, or what the day brings did."
    )


def _about(told: Told) -> dict[str, str]:
    return {"standing": (told or {}).get("standing") or "", "tier": (told or {}).get("tier") or ""}


def _standing(code: str) -> str:
    return str(STANDINGS.get(code, _("nobody we knew")))
