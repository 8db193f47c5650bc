"""The entitlement row: one per member, all that a perk check reads, kept in the transaction of every change.

`recompute` is a pure function of stored facts, so that an invariant can compare each row with it at any time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from django.db.models import F

from membership import standing
from membership.models import Card, Member, Membership
from perks import grants, kinds, slots
from perks.models import Entitlement, Grant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


def rebuild(*, member: Member, at: datetime) -> None:
    """Write the member's row anew, as of `at`. A member who never had a membership has none."""
    told = recompute(member, as_of=at)
    if told is None:
        Entitlement.objects.filter(member=member).delete()
        return
    payer, facts = told
    card_id = Card.objects.filter(member=member, revoked_at=None).values_list("pk", flat=True).first()
    _write(member, card_id=card_id, payer_id=payer, facts=facts, computed_at=at)


def rebuild_all(*, membership: Membership, at: datetime) -> None:
    """Write anew the rows of all who live by `membership`: its payer, and whoever has or had a seat under it."""
    rebuild(member=membership.member, at=at)
    for holder in Member.objects.filter(seats__membership=membership).distinct():
        rebuild(member=holder, at=at)


def set_card(*, member: Member, at: datetime) -> None:
    """The member's card was issued or revoked."""
    card_id = Card.objects.filter(member=member, revoked_at=None).values_list("pk", flat=True).first()
    Entitlement.objects.filter(member=member).update(card_id=card_id, version=F("version") + 1)


def _write(member: Member, **fields: Any) -> None:
    if not Entitlement.objects.filter(member=member).update(version=F("version") + 1, **fields):
        Entitlement.objects.create(member=member, number=member.number, **fields)


def recompute(member: Member, *, as_of: datetime) -> tuple[int | None, str] | None:
    """-> (who pays for the member's seat, the facts as JSON: what Facts loads); None without any membership.

    The own membership, and that of an open seat: which of them speaks is a question of the moment it is asked at.
    Moments before `as_of` that can no longer matter are left out.
    """
    own, seat = standing.own_membership(member), standing.seat_membership(member, as_of)
    first = own or seat
    if first is None:
        return None
    facts = _facts(first, as_of, member)
    if own and seat:
        facts["seat"] = _facts(seat, as_of, member)
    return seat.member_id if seat else None, orjson.dumps(facts, option=orjson.OPT_UTC_Z).decode()


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
    held = {
        "grant": grant.pk,
        "perk": grant.perk.code,
        "kind": grant.perk.kind,
        "settings": orjson.dumps(grant.settings, option=orjson.OPT_SORT_KEYS).decode(),
        "used": used.by(grant),
    }
    if holds := used.holds(grant):
        held["holds"] = holds
    if (grant.settings.get("allowance") or {}).get("carry_over"):
        held["since"] = used.held_since(grant)
    return held
