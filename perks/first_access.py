"""First-access letters: once per member and sale, when it opens for them before it does for everybody.

Written in the member's language and time zone, in their daytime: for a sale that opens at night, the evening before.
Rows are made when a sale comes near (invite) and follow every change of a membership (reconsider); at its moment a row
asks the facts again. So nobody is written to about a sale that does not open early for them.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from membership import declining, messages, work
from membership.models import HouseholdSeat, Member
from perks import lookup, openings
from perks.kinds import early_access
from perks.kinds.base import SaleDates
from perks.models import FirstAccess, Grant, Sale

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from membership.models import Membership, Message

DAY_BEGINS, DAY_ENDS = time(9), time(20)  # local; letters about the night come at EVENING
EVENING = time(19)
AHEAD = timedelta(days=62)  # the earliest a perk can open a sale (60 days), and a night
MEMBERS_AT_ONCE = 500

declining.allow(kind="first_access", field="sale_letters", words=_("letters about sales that open early for you"))


def invite(*, at: datetime, batches: int = 20) -> int:
    """Note everybody for whom a sale that comes near opens early. Goes on where it stopped. -> how many were noted."""
    noted = 0
    for sale in near(at).filter(invited_at=None):
        as_read = Sale.objects.filter(pk=sale.pk, opens_at=sale.opens_at)  # moved meanwhile, it is asked about anew
        for _batch in range(batches):
            members = list(_holders(sale, at).filter(pk__gt=sale.invited_upto).order_by("pk")[:MEMBERS_AT_ONCE])
            noted += sum(_note(sale, member, at) for member in members)
            if len(members) < MEMBERS_AT_ONCE:
                as_read.update(invited_at=at)
                break
            sale.invited_upto = members[-1].pk
            as_read.update(invited_upto=sale.invited_upto)
    return noted


def near(at: datetime) -> QuerySet[Sale]:
    """Published sales that open to the public from now on, and soon enough to be asked about."""
    return Sale.objects.filter(published=True, opens_at__gt=at, opens_at__lte=at + AHEAD).order_by("opens_at", "pk")


def _holders(sale: Sale, at: datetime) -> QuerySet[Member]:
    held = Grant.objects.filter(perk__kind=early_access.CODE, starts_at__lt=sale.opens_at, ends_at__gt=at)
    own = Exists(held.filter(membership__member=OuterRef("pk")))
    seats = HouseholdSeat.objects.filter(holder=OuterRef("pk"), closed_at=None)
    seated = Exists(seats.filter(Exists(held.filter(membership=OuterRef("membership")))))
    return Member.objects.filter(own | seated).select_related("user")


def reconsider(*, membership: Membership, at: datetime) -> None:
    """The membership changed: who lives by it may come in earlier, later, or with everybody."""
    ahead = list(near(at))
    if not ahead:
        return
    lives_by_it = Q(pk=membership.member_id) | Q(seats__membership=membership)
    for member in Member.objects.filter(lives_by_it).distinct().select_related("user"):
        for sale in ahead:
            _note(sale, member, at)


def _note(sale: Sale, member: Member, at: datetime) -> bool:
    """The row says when to write, or is gone where there is nothing to tell. One that was written stays."""
    rows = FirstAccess.objects.filter(sale=sale, member=member, letter=None)
    opens_at = _opens_for(sale, member, at)
    if opens_at >= sale.opens_at:
        rows.delete()
        return False
    due_at = daytime(opens_at, member.user.time_zone, after=at)
    if not rows.update(due_at=due_at, done_at=None, seen_at=None):
        row = FirstAccess(sale=sale, member=member, due_at=due_at)
        FirstAccess.objects.bulk_create([row], ignore_conflicts=True)
    return True


def _opens_for(sale: Sale, member: Member, at: datetime) -> datetime:
    found = lookup.by_member(member.pk, at=at)
    dates = SaleDates(sale.code, sale.names, sale.opens_at, sale.closes_at)
    return openings.opens_at(dates, found.facts if found else None, at)


def write(row: FirstAccess, *, at: datetime) -> Message | None:
    """For the worker: the letter, if what the row promises is still so. Safe to repeat.

    The sale is locked: whoever would move its opening either comes first and is heeded, or finds the letter."""
    with transaction.atomic():
        return _write(row, locked(row.sale), at)


def locked(sale: Sale) -> Sale:
    """As it is now, and stays until the transaction ends."""
    return Sale.objects.select_for_update().get(pk=sale.pk)


def _write(row: FirstAccess, sale: Sale, at: datetime) -> Message | None:
    member = row.member
    opens_at = _opens_for(sale, member, at)
    if not sale.published or at >= sale.opens_at or opens_at >= sale.opens_at or not member.sale_letters:
        return None
    due_at = daytime(opens_at, member.user.time_zone, after=at)
    if due_at > at:  # it opens later than was noted, or they moved to where it is night
        row.delete()
        FirstAccess.objects.create(sale=sale, member=member, due_at=due_at)
        return None
    letter = messages.write(
        key=f"first-access:{sale.pk}:{member.pk}",
        kind="first_access",
        member=member,
        at=at,
        context={
            "sale": sale,
            "opens_at": opens_at,
            "is_open": opens_at <= at,
        },
    )
    FirstAccess.objects.filter(pk=row.pk).update(letter=letter)
    return letter


def daytime(moment: datetime, zone: str, *, after: datetime) -> datetime:
    """When to write about `moment`: then, if it is day in `zone`; else the evening before. Never before `after`."""
    local = moment.astimezone(ZoneInfo(zone))
    if local.time() < DAY_BEGINS:
        local = datetime.combine(local.date() - timedelta(days=1), EVENING, tzinfo=local.tzinfo)
    elif local.time() >= DAY_ENDS:
        local = datetime.combine(local.date(), EVENING, tzinfo=local.tzinfo)
    due_at = local.astimezone(moment.tzinfo)
    return due_at if due_at >= after else _next_day_time(after, zone)


def _next_day_time(at: datetime, zone: str) -> datetime:
    local = at.astimezone(ZoneInfo(zone))
    if DAY_BEGINS <= local.time() < DAY_ENDS:
        return at
    day = local.date() + timedelta(days=local.time() >= DAY_ENDS)
    return datetime.combine(day, DAY_BEGINS, tzinfo=local.tzinfo).astimezone(at.tzinfo)


def next_due(after: datetime) -> datetime | None:
    """When the next sale comes near enough to ask who gets in early."""
    far = Sale.objects.filter(published=True, invited_at=None, opens_at__gt=after + AHEAD)
    opens_at = far.order_by("opens_at").values_list("opens_at", flat=True).first()
    return None if opens_at is None else opens_at - AHEAD


def rows() -> QuerySet[FirstAccess]:
    """As the worker reads them."""
    return FirstAccess.objects.select_related("sale", "member__user")


def try_again(pk: int, *, at: datetime) -> tuple[bool, str]:
    """One letter now, parked or not. -> whether it is seen to, and why not."""
    return work.try_again(rows(), pk, partial(write, at=at), at=at)
