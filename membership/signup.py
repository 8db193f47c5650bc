"""Signing up: an account becomes a person on the roll. Called by the sign-up form and by staff."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from membership import audit, declining, messages, numbers, search, timeline
from membership.models import Member, Message, SearchKey

if TYPE_CHECKING:
    from datetime import datetime

    from membership.declining import Asked
    from membership.models import User

TRIES = 20
JOINERS = "\u200c\u200d"  # they shape letters in Persian and Indic names


def tidy(name: str) -> str:
    """A name as it is kept: single spaces, and none of the marks that nobody sees and that turn around what stands
    beside them (Unicode's bidirectional controls, Trojan Source, CVE-2021-42574)."""
    seen = (c for c in " ".join(name.split()) if c in JOINERS or unicodedata.category(c) not in ("Cc", "Cf"))
    return " ".join("".join(seen).split())


@transaction.atomic
def create_member(*, user: User, name: str, at: datetime) -> Member:
    """Enter `user` on the roll under a new number. Raises IntegrityError if the account already has a member."""
    member = _with_a_free_number(user, tidy(name), at)
    search.put(member=member, kind=SearchKey.Kind.NAME, value=member.name)
    search.put(member=member, kind=SearchKey.Kind.EMAIL, value=user.email)
    search.put(member=member, kind=SearchKey.Kind.NUMBER, value=member.number)
    timeline.write(member=member, kind="signed_up", at=at, actor=f"member:{member.pk}", source_ref=f"user:{user.pk}")
    return member


def _with_a_free_number(user: User, name: str, at: datetime) -> Member:
    for attempt in range(TRIES):
        number = numbers.make()
        try:
            with transaction.atomic():
                return Member.objects.create(user=user, name=name, number=number, created_at=at)
        except IntegrityError:
            taken = Member.objects.filter(number=number).exists()
            if not taken or attempt == TRIES - 1:
                raise
    raise AssertionError("unreachable")


@transaction.atomic
def rename_member(*, member: Member, name: str, at: datetime, actor: str) -> None:
    """Change the name on the roll; the card shows it from the next time it is drawn. That it changed is kept; the
    names are not: history holds none."""
    name = tidy(name)
    if name == member.name:
        return
    member.name = name
    member.save(update_fields=["name"])
    search.replace(member=member, kind=SearchKey.Kind.NAME, value=member.name)
    timeline.write(member=member, kind="renamed", at=at, actor=actor)
    audit.write(actor=actor, verb="rename", subject=f"member:{member.pk}", at=at)


@transaction.atomic
def choose(*, member: Member, sale_letters: bool, found_by_email: bool, at: datetime, actor: str) -> None:
    """What the member wants written to them, and whether shops find them by their address. A change is kept: it is
    a consent, given or taken back."""
    chosen = {"sale_letters": sale_letters, "found_by_email": found_by_email}
    changed = {name: value for name, value in chosen.items() if getattr(member, name) != value}
    if not changed:
        return
    Member.objects.filter(pk=member.pk).update(**changed)
    for name, value in changed.items():
        setattr(member, name, value)
    timeline.write(member=member, kind="chose", at=at, actor=actor, data=changed)
    audit.write(actor=actor, verb="choose", subject=f"member:{member.pk}", at=at, data=changed)


@transaction.atomic
def decline(*, asked: Asked, at: datetime) -> None:
    """No more of these letters; those that still wait to be sent are not. Safe to repeat."""
    member, choice = asked
    chosen = {"sale_letters": member.sale_letters, "found_by_email": member.found_by_email, choice.field: False}
    choose(member=member, **chosen, at=at, actor=f"member:{member.pk}")
    waiting = Message.objects.filter(member=member, kind__in=declining.kinds_of(choice), done_at=None)
    messages.withdraw(list(waiting.values_list("pk", flat=True)), at=at)
