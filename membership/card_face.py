"""What a card says, for the printed one (card_pdf.py) and the page behind its QR (card_views.py).

A member's name is a stranger's text. Here it becomes something that can be set in a small box: one line of text, no
control or direction characters, no towers of accents, and a size at which all of it fits.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from membership import calendar, numbers, standing
from membership.errors import DomainError
from membership.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from membership.models import Card, Member, Membership, Tier

LONGEST_NAME = 120  # as Member.name
ACCENTS_A_LETTER = 3  # Vietnamese needs two, pointed Hebrew three
JOINERS = "\u200c\u200d"  # Persian, Indic scripts and emoji need them
POINT = 0.3528  # mm


class NoCardToShow(DomainError):
    """There is no membership behind this card now, or the card was revoked."""

    code = "no_card"
    status = 404
    message = "There is no card to show at the moment."


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """The words on a card. `valid_until` is the last day that counts; `grace_until` the last one of a grace."""

    name: str
    number: str
    tier: Tier
    standing: Standing
    valid_until: date
    grace_until: date | None


def face(card: Card, at: datetime) -> Face:
    """What `card` says at `at`. Raises NoCardToShow."""
    membership = standing.current_membership(card.member, at)
    if membership is None or card.revoked_at is not None:
        raise NoCardToShow
    now, tier = standing.at(membership, at), standing.tier_at(membership, at)
    if now not in standing.HELD or tier is None or membership.entitled_until is None:
        raise NoCardToShow
    return Face(
        name=clean(card.member.name) or _("Member"),
        number=numbers.group(card.member.number),
        tier=tier,
        standing=now,
        valid_until=calendar.last_day(membership.entitled_until, membership.time_zone),
        grace_until=_last_day_of_grace(membership) if now == Standing.GRACE else None,
    )


def has_card(member: Member, at: datetime) -> bool:
    """Whether a membership stands behind a card of `member` at `at`."""
    membership = standing.current_membership(member, at)
    return membership is not None and standing.at(membership, at) in standing.HELD


def _last_day_of_grace(membership: Membership) -> date | None:
    until = standing.grace_until(membership)
    return calendar.last_day(until, membership.time_zone) if until else None


def clean(text: str) -> str:
    """`text` as one line that can be set: what cannot be seen or would reorder its neighbors is left out."""
    text = unicodedata.normalize("NFC", text[: 10 * LONGEST_NAME])
    line = " ".join("".join(_settable(text)).split()).strip(JOINERS + " ")
    return line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 1].rstrip() + "…"


def _settable(text: str) -> Iterator[str]:
    accents = 0
    for char in text:
        category = unicodedata.category(char)
        accents = accents + 1 if category in ("Mn", "Me") else 0
        if category[0] == "Z" or char in "\t\r\n\v\f\x85":
            yield " "
        elif char in JOINERS or (category[0] != "C" and accents <= ACCENTS_A_LETTER):
            yield char


def short_name(name: str) -> str:
    """First name and last initial, for a page that whoever holds the card can see: "Ada L."."""
    words = clean(name).split()
    if not words:
        return ""
    first = words[0] if len(words[0]) <= 24 else words[0][:23] + "…"
    return f"{first} {words[-1][0]}." if len(words) > 1 else first


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A place for text, in mm, and the sizes in points that may be used there, largest first."""

    width: float
    height: float
    sizes: tuple[int, ...]


def size_that_fits(text: str, box: Box) -> int:
    """The largest size at which `text` fits `box`; words are broken only at the smallest third of the sizes.

    An estimate on the wide side, so that no layout has to be tried.
    """
    unbroken = box.sizes[: -(len(box.sizes) // 3) or None]
    for size in box.sizes:
        em = size * POINT
        lines, broken = _lines(text, box.width / em)
        if lines * 1.2 * em <= box.height and not (broken and size in unbroken):
            return size
    return box.sizes[-1]


def _lines(text: str, width: float) -> tuple[int, bool]:
    """How many lines `text` takes in a box `width` em wide, and whether a word had to be broken."""
    lines, used, broken = 1, 0.0, False
    for word in text.split(" "):
        length = sum(_advance(char) for char in word)
        if used and used + 0.28 + length > width:
            lines, used = lines + 1, 0.0
        if length > width:
            broken = True
            lines += math.ceil(length / (0.92 * width)) - 1
            used = width
        else:
            used += length + (0.28 if used else 0)
    return lines, broken


def _advance(char: str) -> float:
    """A character's width in em, on the wide side."""
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    if char in "WMwm@%—﷽":
        return 1.0
    if char.isascii():
        return 0.75 if char.isupper() else 0.52
    return 0.85
