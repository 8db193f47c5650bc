"""Letters that a member may decline without logging in: by the button of their mail program (RFC 8058), or by a link.

Those about money, terms and the account are no such letters: whoever pays for a membership is told of it. An app says
at start which of its mails are, and which of the member's choices they follow (signup.choose).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.core import signing
from django.urls import reverse

from membership.models import Member

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Words

SALT = "membership.declining"


class Choice(NamedTuple):
    """A field of Member, and what is written to who has it set, in words."""

    field: str
    words: Words


_by_kind: dict[str, Choice] = {}


def allow(*, kind: str, field: str, words: Words) -> None:
    """Say that members may decline this kind of mail."""
    _by_kind[kind] = Choice(field, words)


def choice_of(kind: str) -> Choice | None:
    """The choice that a kind of mail follows; None: it must be told."""
    return _by_kind.get(kind)


def kinds_of(choice: Choice) -> list[str]:
    return [kind for kind, followed in _by_kind.items() if followed.field == choice.field]


class Asked(NamedTuple):
    """Who would decline what."""

    member: Member
    choice: Choice


def link(asked: Asked) -> str:
    """The address that stands in each letter. It has no end: an old letter's is as good as the last one's."""
    token = signing.Signer(salt=SALT).sign_object([asked.member.pk, asked.choice.field])
    return f"{settings.BASE_URL}{reverse('decline', args=[token])}"


def read(token: str) -> Asked | None:
    """What a link asks; None if it is none of ours."""
    try:
        pk, field = signing.Signer(salt=SALT).unsign_object(token)
    except (signing.BadSignature, ValueError):
        return None
    choice = next((choice for choice in _by_kind.values() if choice.field == field), None)
    member = Member.objects.filter(pk=pk).first()
    return Asked(member, choice) if member and choice else None


def headers(kind: str, member: Member | None) -> dict[str, str]:
    """What tells a mail program that it may offer a button (RFC 2369, RFC 8058)."""
    choice = choice_of(kind)
    if member is None or choice is None:
        return {}
    address = link(Asked(member, choice))
    return {"List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
