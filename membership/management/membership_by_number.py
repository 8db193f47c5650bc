"""Whose membership staff speak of at the command line."""

from __future__ import annotations

from django.core.management.base import CommandError

from membership import standing
from membership.models import Member, Membership


def find(number: str) -> Membership:
    """The own membership of the member with this number, however it is grouped. Raises CommandError."""
    member = Member.objects.filter(number="".join(filter(str.isdigit, number))).first()
    membership = standing.own_membership(member) if member else None
    if membership is None:
        raise CommandError("Nobody with this number has a membership.")
    return membership
