"""Goodwill: a perk given by staff beside what was bought, with a reason, somebody who answers for it, and an end.

It never takes anything: where a goodwill grant says no, the grant that was bought is asked (perks.facts.Held). It
counts while the membership counts, as every perk does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from membership import audit, timeline
from membership.errors import DomainError
from membership.models import Membership, TimelineEntry
from perks import entitlements, kinds
from perks.models import Grant, Perk, TierPerk

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class NoReason(DomainError):
    code = "no_reason"
    message = "Say why it is given: the reason is kept."


class EndsTooEarly(DomainError):
    code = "ends_too_early"
    message = "It must end after it begins."


class NotGiven(DomainError):
    code = "not_given"
    message = "This is no gesture of goodwill that is still running."


@transaction.atomic
def give(
    *,
    membership: Membership,
    perk: Perk,
    until: datetime,
    reason: str,
    at: datetime,
    actor: str,
    settings: Mapping[str, Any] | None = None,
    once: str = "",
) -> Grant:
    """The membership holds `perk` from `at` to `until` (exclusive), by `actor`, who answers for it.

    With the settings of the member's tier, or the perk's own where the tier does not carry it; `settings` are what
    differs. Asked again with the same `once`, the grant that it made is the answer. Raises NoReason, EndsTooEarly,
    kinds.BadSettings.
    """
    if not reason.strip():
        raise NoReason
    if until <= at:
        raise EndsTooEarly
    locked = Membership.objects.lock(membership.pk)
    given = _given_before(locked, once)
    if given is not None:
        return given
    checked = kinds.check(perk.kind, {**settings_for(locked, perk), **(settings or {})})
    grant = Grant.objects.create(
        membership=locked,
        perk=perk,
        source=Grant.Source.GOODWILL,
        settings=checked.model_dump(mode="json"),
        starts_at=at,
        ends_at=until,
        reason=reason.strip(),
        owner=actor,
    )
    with audit.because(grant.reason):
        _record(grant, "give_perk", until=until, at=at, actor=actor, source_ref=f"goodwill:{once}" if once else "")
    entitlements.rebuild_all(membership=locked, at=at)
    return grant


def settings_for(membership: Membership, perk: Perk) -> dict[str, Any]:
    """What a perk of goodwill is unless staff say otherwise: as the member's tier sells it, else the perk's own."""
    offered = TierPerk.objects.filter(perk=perk, tier=membership.plan.tier).select_related("perk").first()
    return offered.sold_settings() if offered else perk.settings


def _given_before(membership: Membership, once: str) -> Grant | None:
    """Asked under the membership's lock, so that of two at once the second finds the first's."""
    told = TimelineEntry.objects.filter(member=membership.member, kind="give_perk", source_ref=f"goodwill:{once}")
    entry = told.first() if once else None
    return Grant.objects.get(pk=entry.data["grant"]) if entry else None


@transaction.atomic
def take_back(*, grant: Grant, at: datetime, actor: str) -> None:
    """It ends now instead of later. What was used of it stays. The audit keeps the reason of who takes it back
    (audit.because), not the one it was given for. Raises NotGiven."""
    locked = Membership.objects.lock(grant.membership_id)
    running = Grant.objects.filter(pk=grant.pk, source=Grant.Source.GOODWILL, starts_at__lte=at, ends_at__gt=at)
    if not running.update(ends_at=at):
        raise NotGiven
    _record(grant, "take_perk_back", until=at, at=at, actor=actor)
    entitlements.rebuild_all(membership=locked, at=at)


def _record(grant: Grant, verb: str, *, until: datetime, at: datetime, actor: str, source_ref: str = "") -> None:
    said = {"perk": grant.perk.code, "grant": grant.pk, "until": until.isoformat()}
    timeline.write(member=grant.membership.member, kind=verb, at=at, actor=actor, data=said, source_ref=source_ref)
    audit.write(actor=actor, verb=verb, subject=f"membership:{grant.membership_id}", at=at, data=said)
