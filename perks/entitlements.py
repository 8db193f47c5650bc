"""The entitlement row: one per member, all that a perk check reads, kept in the transaction of every change.

`recompute` is a pure function of stored facts, so that an invariant can compare each row with it at any time.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from django.db import transaction
from django.db.models import F, Q

from membership import standing
from membership.models import Card, Member, Membership
from perks import facts, grants, kinds, slots, sold
from perks.models import Entitlement, Grant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

RECOUNTED_FOR = timedelta(hours=1)


class Told(NamedTuple):
    """What a row is to say. `payer`: who pays for the member's seat."""

    payer: int | None
    own: str
    sold: str

    @property
    def text(self) -> str:
        """As the row keeps it: the member's own, and below it the hash of what the perks were sold under."""
        return f"{self.own}\n{sold.hashed(self.sold)}"

    @property
    def facts(self) -> facts.Facts:
        return facts.load(self.own, sold.understood(self.sold))


def rebuild(*, member: Member, at: datetime) -> None:
    """Write the member's row anew, as of `at`. A member who never had a membership has none."""
    _rebuild([member.pk], at)


def rebuild_all(*, membership: Membership, at: datetime) -> None:
    """Write anew the rows of all who live by `membership`: its payer, and whoever has or had a seat under it."""
    _rebuild(_live_by(membership), at)


@transaction.atomic(savepoint=False)
def recount(*, membership: Membership, at: datetime) -> None:
    """Write anew how often its limited perks were used, in the rows of all who live by it: after a use of a perk,
    which changes nothing else that a row tells.

    A third of the work of writing the rows wholly, under the lock for which every till waits that asks for the same
    member. The rest of a row stays as it was told at `computed_at`, and the uses are counted as of that moment too: a
    hold that ran out since is still named, with its end (Held.used_at). An hour later the row is written wholly.
    """
    members = _live_by(membership)
    rows = list(Entitlement.objects.select_for_update().filter(member__in=members).order_by("member"))
    if len(rows) < len(members) or any(not row.facts or at - row.computed_at > RECOUNTED_FOR for row in rows):
        _rebuild(members, at)
        return
    limited = {g.pk: g for g in Grant.objects.filter(membership=membership) if g.settings.get("allowance")}
    for row in rows:
        told = _recounted(row, limited)
        Entitlement.objects.filter(pk=row.pk).update(facts=told, version=F("version") + 1)


def _live_by(membership: Membership) -> list[int]:
    lives_by_it = Q(pk=membership.member_id) | Q(seats__membership=membership)
    return sorted(Member.objects.filter(lives_by_it).distinct().values_list("pk", flat=True))


def _recounted(row: Entitlement, limited: Mapping[int, Grant]) -> str:
    """The row's facts with the uses of these grants counted anew: to the byte what recompute would say."""
    own, _, digest = row.facts.partition("\n")
    told = orjson.loads(own)
    used = slots.Uses(limited.values(), member=row.member_id, at=row.computed_at)
    for window in (w for part in (told, told.get("seat")) if part for w in (*part["windows"], *part["goodwill"])):
        for held in window["held"]:
            if (grant := limited.get(held["grant"])) is not None:
                after = {name: held[name] for name in ("since", "sold") if name in held}
                held.clear()
                held |= {"grant": grant.pk} | _uses(grant, used) | after
    return f"{facts.as_line(told)}\n{digest}"


@transaction.atomic(savepoint=False)
def set_card(*, member: Member, at: datetime) -> None:
    """The member's card was issued or revoked."""
    _locked(member.pk)
    Entitlement.objects.filter(member=member).update(card_id=_card_of(member), version=F("version") + 1)


@transaction.atomic(savepoint=False)
def _rebuild(members: Iterable[int], at: datetime) -> None:
    """Locked before the facts are read, and in one order.

    A row is made of two memberships where somebody has their own and a seat: who changes the one holds its lock, not
    that of the other. Whoever comes second waits here, and then reads what the first has written.
    """
    taken = sorted(members)
    for pk in taken:
        _take(pk, at)
    for member in Member.objects.filter(pk__in=taken).order_by("pk"):
        _write(member, at)


def _take(member: int, at: datetime) -> None:
    """Lock the member's row. One that is not there yet is made first: its key lets only one make it."""
    if _locked(member):
        return
    number = Member.objects.values_list("number", flat=True).get(pk=member)
    blank = Entitlement(member_id=member, number=number, facts="", computed_at=at)
    Entitlement.objects.bulk_create([blank], ignore_conflicts=True)
    _locked(member)


def _locked(member: int) -> bool:
    return bool(Entitlement.objects.select_for_update().filter(member=member).values_list("pk"))


def _write(member: Member, at: datetime) -> None:
    card, told = _card_of(member), recompute(member, as_of=at)
    mine = Entitlement.objects.filter(member=member)
    if told is None:
        mine.delete()
        return
    sold.keep(told.sold)
    fields = {"card_id": card, "payer_id": told.payer, "facts": told.text, "computed_at": at}
    mine.update(version=F("version") + 1, **fields)


def _card_of(member: Member) -> UUID | None:
    return Card.objects.filter(member=member, revoked_at=None).values_list("pk", flat=True).first()


def read(text: str) -> facts.Facts:
    """The facts in a row's text."""
    own, _, digest = text.partition("\n")
    return facts.load(own, sold.read(digest))


def recompute(member: Member, *, as_of: datetime) -> Told | None:
    """What the member's row is to say; None without any membership.

    The own membership, and that of an open seat: which of them speaks is a question of the moment it is asked at.
    Moments before `as_of` that can no longer matter are left out.
    """
    own, seat = standing.own_membership(member), standing.seat_membership(member, as_of)
    first = own or seat
    if first is None:
        return None
    told = _facts(first, as_of, member)
    if own and seat:
        told["seat"] = _facts(seat, as_of, member)
    line, sold_under = facts.dump(told)
    return Told(seat.member_id if seat else None, line, sold.told(sold_under))


def _facts(membership: Membership, as_of: datetime, member: Member) -> dict[str, Any]:
    held = list(Grant.objects.filter(membership=membership).select_related("perk").order_by("perk__position", "pk"))
    used = slots.Uses(held, member=member.pk, at=as_of)
    terms = sorted(membership.terms.all(), key=lambda t: t.starts_at)
    goodwill = [g for g in held if g.source == Grant.Source.GOODWILL and g.ends_at > as_of]
    return {
        "status": membership.status,
        "end_reason": membership.end_reason,
        "zone": membership.time_zone,
        "began_at": terms[0].starts_at if terms else None,
        "entitled_until": membership.entitled_until,
        "grace_until": standing.grace_until(membership),
        "cut_at": membership.cut_at,
        "stops": sorted(
            (s.opened_at, s.lifted_at) for s in membership.stops.all() if s.lifted_at is None or s.lifted_at > as_of
        ),
        "pauses": sorted((p.starts_at, p.ends_at) for p in membership.pauses.all() if p.ends_at > as_of),
        "windows": [_window(span, held, used) for span in _still_counting(grants.spans(membership), as_of)],
        "goodwill": [_goodwill(g, used) for g in goodwill],
        **_birthday(member, [g for g in held if g.ends_at > as_of]),
    }


def _birthday(member: Member, held: Iterable[Grant]) -> dict[str, Any]:
    """Month and day, if a perk held asks for them: the one personal fact in the row, and nowhere else needed."""
    if member.birthday is None or not any(kinds.ALL[g.perk.kind].Settings.NEEDS_BIRTHDAY for g in held):
        return {}
    return {"birthday": [member.birthday.month, member.birthday.day]}


def _still_counting(spans: list[grants.Span], as_of: datetime) -> Iterable[grants.Span]:
    """From the last that had begun on."""
    begun = [n for n, span in enumerate(spans) if span.term is not None and span.starts_at <= as_of]
    return spans[begun[-1] if begun else 0 :]


def _window(span: grants.Span, held: list[Grant], used: slots.Uses) -> dict[str, Any]:
    own = [g for g in held if g.source == Grant.Source.TERM and (g.term_id, g.change_id) == span.key]
    return {
        "starts_at": span.starts_at,
        "ends_at": span.ends_at,
        "tier": span.tier.code,
        "provisional": span.term is None,
        "held": [_held(g, used) for g in own if g.ends_at > g.starts_at],
    }


def _goodwill(grant: Grant, used: slots.Uses) -> dict[str, Any]:
    window = {"starts_at": grant.starts_at, "ends_at": grant.ends_at, "tier": "", "provisional": False}
    return {**window, "held": [_held(grant, used)]}


def _held(grant: Grant, used: slots.Uses) -> dict[str, Any]:
    held: dict[str, Any] = {"grant": grant.pk, **_uses(grant, used)}
    if (grant.settings.get("allowance") or {}).get("carry_over"):
        held["since"] = used.held_since(grant)
    settings = orjson.dumps(grant.settings, option=orjson.OPT_SORT_KEYS).decode()
    return held | {"sold": facts.AsSold(grant.perk.code, grant.perk.kind, settings)}


def _uses(grant: Grant, used: slots.Uses) -> dict[str, Any]:
    told = {"used": used.by(grant), "holds": used.holds(grant)}
    return {name: value for name, value in told.items() if value}
