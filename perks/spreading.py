"""What was published, carried to the memberships it concerns: renewals that are awaited follow the catalogue, and the
tiers for which it was published "now" have it at once.

A chunk is one transaction, under the publication's own lock: whoever comes next goes on where the last one stopped, so
any number of workers do each membership once, and one that dies loses nothing.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from membership import timeline
from membership.models import Membership, Term
from perks import entitlements, grants, improvement, kinds, slots
from perks.kinds import early_access
from perks.models import Grant, Perk, Publication, Redemption, Sale, TierPerk

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from perks.kinds import KindSettings

log = logging.getLogger("vip.spreading")

AT_ONCE = 100
SECONDS = 20.0  # of one turn, after which no further chunk is begun


def sweep(*, at: datetime) -> int:
    """Carry on what is on its way, the oldest first. -> how many memberships were looked at."""
    until, looked_at = time.monotonic() + SECONDS, 0
    for pk in list(Publication.objects.filter(done_at=None).values_list("pk", flat=True)):
        while time.monotonic() < until and (found := _next_chunk(pk, at=at)):
            looked_at += found
    return looked_at


def _next_chunk(pk: int, *, at: datetime) -> int:
    """The next memberships of a publication; 0: there are none left, or somebody else has them."""
    with transaction.atomic():
        going = Publication.objects.select_for_update().filter(pk=pk, done_at=None).first()
        if going is None:
            return 0
        perk = Perk.objects.get(drafts=going.draft_id)
        pks = list(
            concerned(perk, going.now_for, at=at).filter(pk__gt=going.upto).values_list("pk", flat=True)[:AT_ONCE]
        )
        if pks:
            going.reached += _all_or_each(going, perk, pks, at=at)
            going.upto = pks[-1]
        else:
            going.done_at = at
            _invite_anew(perk, at)
        going.save(update_fields=["reached", "upto", "left_out", "done_at"])
        return len(pks)


def _all_or_each(going: Publication, perk: Perk, pks: Sequence[int], *, at: datetime) -> int:
    """All at once; where one of them makes trouble, each alone, so that it keeps no other waiting."""
    told = {"perk": perk, "now_for": going.now_for, "at": at, "actor": going.actor}
    try:
        return give(pks=pks, **told)
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        log.warning("a chunk of publication %s failed (%s): one by one", going.pk, type(error).__name__)
    reached = 0
    for pk in pks:
        try:
            reached += give(pks=[pk], **told)
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:
            log.error("publication %s leaves membership %s out: %s", going.pk, pk, type(error).__name__)
            going.left_out = [*going.left_out, pk]
    return reached


def concerned(perk: Perk, now_for: Collection[str], *, at: datetime) -> QuerySet[Membership]:
    """Open memberships that a change of the perk can mean something to, in order: who holds it or awaits it, whose
    renewal buys a tier that carries it, and who lives in a tier that gets it now."""
    holds = Grant.objects.filter(membership=OuterRef("pk"), perk=perk, source=Grant.Source.TERM, ends_at__gt=at)
    carried = Q(plan__tier__in=TierPerk.objects.filter(perk=perk).values("tier"))
    inside = Q(plan__tier__code__in=now_for) | Q(tier_changes__to_plan__tier__code__in=now_for)
    lives = Term.objects.filter(inside, membership=OuterRef("pk"), ends_at__gt=at)
    found = Membership.objects.open().filter(carried | Q(Exists(holds)) | Q(Exists(lives)))
    return found.order_by("pk")


@transaction.atomic
def give(*, perk: Perk, now_for: Collection[str], pks: Sequence[int], at: datetime, actor: str) -> int:
    """Bring these memberships' grants of the perk up to date: a renewal that is awaited follows the catalogue, what
    was bought in the tiers `now_for` becomes what they sell now, where that takes nothing. -> how many got something.

    Uses are counted on: the same grant has new settings.
    """
    memberships = locked(pks)
    change = _Change(perk, now_for, at)
    for grant in Grant.objects.filter(perk=perk, membership__in=pks, source=Grant.Source.TERM).select_related("perk"):
        change.held[grant.membership_id].append(grant)
    for membership in memberships:
        change.bring(membership)
    change.write()
    for membership in memberships:
        if membership.pk in change.improved:
            told = {"perk": perk.code}
            timeline.write(member=membership.member, kind="perk_improved", at=at, actor=actor, data=told)
        if membership.pk in change.touched:
            entitlements.rebuild_all(membership=membership, at=at)
    return len(change.improved)


def locked(pks: Sequence[int]) -> list[Membership]:
    """The memberships, locked in one order for this transaction, then read with their facts."""
    list(Membership.objects.select_for_update().only("pk").filter(pk__in=pks).order_by("pk"))
    return list(Membership.objects.with_facts().filter(pk__in=pks).order_by("pk"))


class _Change:
    """What is to be written to the grants of one perk, gathered over many memberships."""

    def __init__(self, perk: Perk, now_for: Collection[str], at: datetime) -> None:
        self.perk, self.now_for, self.at = perk, now_for, at
        offered = TierPerk.objects.filter(perk=perk, perk__published=True).select_related("perk")
        self.offered = {one.tier_id: kinds.check(perk.kind, one.sold_settings()) for one in offered}
        self.held: defaultdict[int, list[Grant]] = defaultdict(list)
        self.new: list[Grant] = []
        self.changed: list[Grant] = []
        self.gone: list[Grant] = []
        self.improved: set[int] = set()
        self.touched: set[int] = set()

    def bring(self, membership: Membership) -> None:
        by_key = {(grant.term_id, grant.change_id): grant for grant in self.held[membership.pk]}
        spans = [span for span in grants.spans(membership) if span.ends_at > max(self.at, span.starts_at)]
        for span in spans:
            wanted = self.offered.get(span.tier.pk)
            if span.key == grants.PROVISIONAL:
                self._follow(membership, span, by_key.pop(grants.PROVISIONAL, None), wanted)
            elif wanted is not None and span.tier.code in self.now_for:
                self._improve(membership, span, by_key.get(span.key), wanted)

    def _follow(
        self, membership: Membership, span: grants.Span, grant: Grant | None, wanted: KindSettings | None
    ) -> None:
        if grant is not None and wanted is None:
            self.gone.append(grant)
            self.touched.add(membership.pk)
        elif wanted is not None:
            self._set(membership, span, grant, wanted)

    def _improve(self, membership: Membership, span: grants.Span, grant: Grant | None, wanted: KindSettings) -> None:
        """Who bought something better meanwhile keeps it."""
        if grant is not None and improvement.worse(slots.settings_of(grant), wanted):
            return
        if self._set(membership, span, grant, wanted):
            self.improved.add(membership.pk)

    def _set(self, membership: Membership, span: grants.Span, grant: Grant | None, wanted: KindSettings) -> bool:
        if grant is None:
            self.new.append(grants.new(membership, span, self.perk, wanted.model_dump(mode="json")))
        elif slots.settings_of(grant) != wanted:
            grant.settings = wanted.model_dump(mode="json")
            self.changed.append(grant)
        else:
            return False
        self.touched.add(membership.pk)
        return True

    def write(self) -> None:
        """What a use stands on stays as a row, and ends before it begins."""
        Grant.objects.bulk_create(self.new)
        Grant.objects.bulk_update(self.changed, ["settings"])
        gone = [grant.pk for grant in self.gone]
        used = set(Redemption.objects.filter(grant__in=gone).values_list("grant", flat=True)) if gone else set()
        Grant.objects.filter(pk__in=set(gone) - used).delete()
        for grant in self.gone:
            if grant.pk in used:
                Grant.objects.filter(pk=grant.pk).update(ends_at=grant.starts_at)


def _invite_anew(perk: Perk, at: datetime) -> None:
    """Sales that come near ask once more who gets in early; who was written to is not written to again."""
    if perk.kind == early_access.CODE:
        Sale.objects.filter(opens_at__gt=at, invited_at__isnull=False).update(invited_at=None, invited_upto=0)
