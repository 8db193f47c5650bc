"""Birthdays: told once by the member, corrected by staff. What a birthday opens is for the upper apps to say."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from membership import audit, standing, timeline
from membership.errors import DomainError
from membership.models import Member, Membership
from membership.signals import membership_changed

if TYPE_CHECKING:
    from datetime import date, datetime

LONGEST_LIFE = timedelta(days=366 * 120)


class NoBirthday(DomainError):
    code = "no_birthday"
    status = 422
    message = "Nobody can have been born on that day."


class BirthdayKnown(DomainError):
    code = "birthday_known"
    status = 409
    message = "The birthday is known already; only staff correct it."


def possible(birthday: date, at: datetime) -> bool:
    return at.date() - LONGEST_LIFE < birthday < at.date()


@transaction.atomic
def tell(*, member: Member, birthday: date, at: datetime, actor: str) -> None:
    """Keep the birthday. Members tell it once, so that nobody has two in a year; whoever else corrects it.

    That it was told is kept in the story, the day itself only on the roll. Raises NoBirthday, BirthdayKnown.
    """
    if not possible(birthday, at):
        raise NoBirthday
    if birthday == member.birthday:
        return
    allowed = Member.objects.filter(pk=member.pk)
    if actor.startswith("member:"):
        allowed = allowed.filter(birthday=None)
    speaking = (standing.own_membership(member), standing.seat_membership(member, at))
    memberships = sorted({membership.pk for membership in speaking if membership})
    for pk in memberships:
        Membership.objects.lock(pk)
    if not allowed.update(birthday=birthday):
        raise BirthdayKnown
    member.birthday = birthday
    timeline.write(member=member, kind="told_birthday", at=at, actor=actor)
    audit.write(actor=actor, verb="tell_birthday", subject=f"member:{member.pk}", at=at)
    for pk in memberships:  # read anew: what was read with the lock has the member of before
        membership_changed.send(sender=Membership, membership=Membership.objects.with_facts().get(pk=pk), at=at)
