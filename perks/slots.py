"""Numbered slots: a use of a limited perk takes one of its allowance, and the database lets nobody take it twice.

An allowance is named by whom it belongs to. A term's is counted by grant, and so is that of a goodwill grant. That of a
calendar period, or of a birthday, is counted over all the terms in which the perk was bought: a renewal in the midst of
a quarter does not start the quarter anew. Where everybody in a household has their own, the member's name is added.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import orjson
from django.db.models import F, Q

from perks import engine, history, kinds
from perks.models import LIVE, Grant, Redemption

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from perks.facts import Facts, Held
    from perks.kinds import KindSettings


def settings_of(grant: Grant) -> KindSettings:
    """The settings that the grant was sold under."""
    sold = orjson.dumps(grant.settings, option=orjson.OPT_SORT_KEYS).decode()
    return kinds.load(grant.perk.kind, sold)[1]


def draws_on(grant: Grant, *, period: str, member: int) -> str:
    """The name of the allowance that a use by this member in this period draws on."""
    by_grant = period == "term" or grant.source == Grant.Source.GOODWILL
    name = f"grant:{grant.pk}" if by_grant else f"membership:{grant.membership_id} perk:{grant.perk_id}"
    return f"{name} member:{member}" if grant.settings.get("seats") == "each" else name


class Uses:
    """Live uses of a membership's limited perks at a moment, as a check by this member sees them."""

    def __init__(self, grants: Iterable[Grant], *, member: int, at: datetime) -> None:
        self._grants, self._member = list(grants), member
        self._uses: Counter[tuple[str, str]] = Counter()
        self._held: list[tuple[str, str, datetime]] = []
        limited = [grant.pk for grant in self._grants if grant.settings.get("allowance")]
        # A hold that ran out counted until then. So marking it as expired changes nothing that was told before.
        held = Q(status__in=[Redemption.Status.HELD, Redemption.Status.EXPIRED], expires_at__gt=at)
        found = Redemption.objects.filter(Q(status=Redemption.Status.COMMITTED) | held, grant__in=limited, slot__gt=0)
        for name, period, status, until in found.values_list("draws_on", "period", "status", "expires_at"):
            self._uses[name, period] += 1
            if status != Redemption.Status.COMMITTED:
                self._held.append((name, period, until))

    def by(self, grant: Grant) -> dict[str, int]:
        """Of a grant, how many by period."""
        found = sorted((period, uses) for (name, period), uses in self._uses.items() if self._mine(grant, name, period))
        return dict(found)

    def holds(self, grant: Grant) -> list[tuple[str, datetime]]:
        """Of these, period and end of those that are only held."""
        return sorted((period, until) for name, period, until in self._held if self._mine(grant, name, period))

    def _mine(self, grant: Grant, name: str, period: str) -> bool:
        return bool(grant.settings.get("allowance")) and name == draws_on(grant, period=period, member=self._member)

    def held_since(self, grant: Grant) -> datetime:
        """From when on the perk has been held without a gap."""
        since = grant.starts_at
        if grant.source == Grant.Source.GOODWILL:
            return since
        for other in sorted(self._grants, key=lambda g: g.starts_at, reverse=True):
            same = other.perk_id == grant.perk_id and other.source == grant.source
            if same and other.starts_at < since <= other.ends_at:
                since = other.starts_at
        return since


class Purse(NamedTuple):
    """An allowance in one of its periods: `uses` numbered slots, from 1."""

    draws_on: str
    period: str
    uses: int


def purse(grant: Grant, facts: Facts, *, member: int, at: datetime) -> Purse | None:
    """Where a use at `at` takes its slot. None: the perk is unlimited."""
    settings = settings_of(grant)
    if settings.allowance is None:
        return None
    period, _ = settings.period(at, facts.about)
    held = _held(grant, facts, at)
    uses = engine.most(held, settings, facts.about, at) if held else settings.allowance.uses
    return Purse(draws_on(grant, period=period, member=member), period, uses)


def _held(grant: Grant, facts: Facts, at: datetime) -> Held | None:
    """The grant as the member holds it now; None: only the promise of a check is left of it."""
    one = facts.held(at).get(grant.perk.code)
    while one is not None and one.grant != grant.pk:
        one = one.instead
    return one


def free(purse: Purse) -> int | None:
    """The first slot that nobody holds, as far as this transaction can see; None: all are taken."""
    live = Redemption.objects.filter(draws_on=purse.draws_on, period=purse.period, status__in=LIVE)
    taken = set(live.values_list("slot", flat=True))
    return next((slot for slot in range(1, purse.uses + 1) if slot not in taken), None)


def expire_overdue(holds: Q, *, at: datetime) -> int:
    """Holds that were never committed give their slots back, each as of its own moment. Returns how many.

    Within a transaction, and locked first: one that is being committed is waited for, and told of as what it became.
    """
    overdue = Redemption.objects.filter(holds, status=Redemption.Status.HELD, expires_at__lte=at)
    gone = list(overdue.select_for_update().order_by("pk").values_list("pk", flat=True))
    if not gone:
        return 0
    ran_out = Redemption.objects.filter(pk__in=gone)
    ran_out.update(status=Redemption.Status.EXPIRED, closed_at=F("expires_at"))
    history.ran_out(ran_out.values_list("ident", flat=True))
    return len(gone)
