"""What is always true of redemptions and of the keys they are made with; manage.py check_invariants asks."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from django.db.models import Count, Exists, F, Max, OuterRef, Q
from django.db.models.functions import Coalesce

from membership import clock
from membership.invariants import invariant
from membership.models import AuditEntry, Tick
from perks import ledger, slots
from perks.idempotency import KEPT
from perks.kinds.base import About
from perks.models import LIVE, ApiKey, Redemption

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from django.db.models import QuerySet

Status = Redemption.Status
LATE = timedelta(minutes=10)
SHA_256 = r"^[0-9a-f]{64}$"
FRESH = timedelta(seconds=1)  # so old may a process's copy of a key be


@invariant("I6", "redemptions held or committed stay within their allowance, slots distinct, one per idempotency key")
def live_redemptions_have_a_slot_each() -> Iterable[str]:
    live = Redemption.objects.filter(status__in=LIVE)
    for row in _more_than_once(live.filter(slot__isnull=False), "draws_on", "period", "slot"):
        yield f"slot {row['slot']} of {row['draws_on']}, {row['period']}, was given out {row['n']} times"
    for row in _more_than_once(live.filter(place__isnull=False), "event", "place"):
        yield f"place {row['place']} at {row['event']} was given out {row['n']} times"
    for use in live.filter(Q(slot__gt=F("allowance")) | Q(slot__lt=1)):
        yield f"redemption {use.pk} takes slot {use.slot} of an allowance of {use.allowance}"
    for use in live.select_related("grant__perk", "grant__membership", "member").order_by("pk").iterator():
        yield from _lies_within_its_allowance(use)
    yield from _keys_used_again_too_early()


def _more_than_once(live: QuerySet[Redemption], *fields: str) -> Iterable[dict[str, Any]]:
    yield from live.values(*fields).annotate(n=Count("pk")).filter(n__gt=1).order_by()


def _keys_used_again_too_early() -> Iterable[str]:
    """A key is its request's for 30 days, then free again."""
    keyed = Redemption.objects.values("shop", "idempotency_key").annotate(n=Count("ident", distinct=True))
    for again in keyed.filter(n__gt=1).order_by():
        same = Redemption.objects.filter(shop=again["shop"], idempotency_key=again["idempotency_key"])
        held = sorted(same.values_list("held_at", "ident").distinct())
        early = [ident for (earlier, _), (later, ident) in pairwise(held) if later - earlier < KEPT]
        if early:
            yield f"an idempotency key of shop {again['shop']} made more than one redemption: {', '.join(early)}"


def _lies_within_its_allowance(use: Redemption) -> Iterable[str]:
    settings = slots.settings_of(use.grant)
    if settings.allowance is None:
        return
    if use.slot is None or use.allowance is None:
        yield f"redemption {use.pk} of a limited perk takes no slot"
        return
    most = settings.allowance.uses * (2 if settings.allowance.carry_over else 1)
    if use.allowance > most:
        yield f"redemption {use.pk} counts {use.allowance} uses where {most} were sold"
    if settings.NEEDS_BIRTHDAY:
        return  # whose day it was then is not known any more
    period, _ = settings.period(use.held_at, About(use.grant.membership.time_zone))
    if use.period != period:
        yield f"redemption {use.pk} is booked in {use.period}, and was held in {period}"
    if use.draws_on != slots.draws_on(use.grant, period=period, member=use.member_id):
        yield f"redemption {use.pk} draws on {use.draws_on}, which is not its own"


@invariant("I6", "what came back of each redemption is the part of its goods that came back, to the cent")
def returns_add_up() -> Iterable[str]:
    for use in Redemption.objects.exclude(returned={}).order_by("pk").iterator():
        share = ledger.came_back(use.lines, use.returned) if use.lines else Fraction(1)
        expected = (ledger.part(use.worth, share), ledger.part(use.cost, share))
        if (use.returned_worth, use.returned_cost) != expected:
            yield f"redemption {use.pk} took back {use.returned_worth} and {use.returned_cost}, not {expected}"
        if (use.status == Status.RETURNED) != (share == 1):
            yield f"redemption {use.pk} is {use.status}, with {share} of it returned"
        if any(pieces > use.lines[line][0] for line, pieces in use.returned.items()):
            yield f"redemption {use.pk} took back more than was ordered"
    for use in Redemption.objects.filter(returned={}, status=Status.COMMITTED).filter(
        Q(returned_worth__gt=0) | Q(returned_cost__gt=0)
    ):
        yield f"redemption {use.pk} took worth back, and no goods"


@invariant("I11", "each hold is committed, released or tidied within 10 minutes of its end")
def holds_are_tidied() -> Iterable[str]:
    """By the sweep's own clock: one that was moved makes nothing late that no sweep had the chance to do."""
    swept = Tick.objects.filter(name="expire holds").first()
    if swept is None:
        return
    for use in Redemption.objects.filter(status=Status.HELD, expires_at__lt=swept.ran_at - LATE).order_by("pk"):
        yield f"redemption {use.pk} is held still, though its hold ran out at {use.expires_at:%Y-%m-%d %H:%M}"


@invariant("I18", "API keys are hashes at rest; none was used more than 1 s after its revocation")
def keys_are_hashes_and_revoked_ones_rest() -> Iterable[str]:
    for key in ApiKey.objects.exclude(secret_hash__regex=SHA_256):
        yield f"key {key.prefix} is not kept as a hash"
    for key in ApiKey.objects.annotate(end=Coalesce("revoked_at", "retires_at")).filter(
        last_used_at__gt=F("end") + FRESH
    ):
        yield f"key {key.prefix} was used at {key.last_used_at:%Y-%m-%d %H:%M:%S}, after its revocation"
    lately = Redemption.objects.filter(held_at__gte=clock.now() - timedelta(days=1))
    without_end = ApiKey.objects.filter(shop=OuterRef("shop"), revoked_at=None, retires_at=None)
    last = Max(Coalesce("shop__keys__revoked_at", "shop__keys__retires_at"))
    for use in lately.filter(~Exists(without_end)).annotate(last=last).exclude(last=None):
        if use.held_at > use.last + FRESH:
            yield f"redemption {use.pk} was held by shop {use.shop_id}, whose last key had been revoked"


@invariant("I17", "every key was given by somebody who stands in the audit, and so was each end of one")
def keys_are_audited() -> Iterable[str]:
    told = AuditEntry.objects.filter(verb__in=["create_key", "revoke_key"]).values_list("verb", "data")
    audited = {(verb, data.get("key")) for verb, data in told}
    for prefix, revoked_at in ApiKey.objects.order_by("pk").values_list("prefix", "revoked_at"):
        if ("create_key", prefix) not in audited:
            yield f"key {prefix} was made without an audit row"
        if revoked_at is not None and ("revoke_key", prefix) not in audited:
            yield f"key {prefix} was revoked without an audit row"
