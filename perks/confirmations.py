"""Finding a member by e-mail address, with the owner's consent: a standing one (settings), or a code that we mail.

A shop must not learn who is a member by typing addresses. So whatever address it asks about, the same row is written,
the same answer given and the same work left to the worker; only the owner of the mailbox can tell the difference.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db.models import F

from membership import clock, doorbell, limits, messages
from membership.errors import DomainError
from membership.models import Member
from perks.models import EmailConfirmation, Shop

if TYPE_CHECKING:
    from datetime import datetime

GOOD_FOR = timedelta(minutes=15)  # the code
HOLDS_FOR = timedelta(hours=1)  # the consent: one visit to the shop
MOST_GUESSES = 5  # of a million codes
FORGOTTEN_AFTER = timedelta(days=1)
MAILS_PER_ADDRESS, MAILS_PER_SHOP = 5, 3_000  # an hour: whoever owns the mailbox must not be flooded


class NoSuchConfirmation(DomainError):
    code = "unknown_confirmation"
    status = 404
    message = "There is no such confirmation of this shop, or it is over."


class Confirmed(NamedTuple):
    """`until`: how long perk checks may name it; None while it is not confirmed."""

    yes: bool
    guesses_left: int
    until: datetime | None


def ask(*, shop: int, email: str, language: str, at: datetime) -> EmailConfirmation:
    """Have a code mailed to the address, if a member has it. Raises limits.TooMany, for any address alike."""
    address, wall = normalized(email), clock.wall()
    limits.hit(f"shop-code:{address}", limit=MAILS_PER_ADDRESS, per=timedelta(hours=1), at=wall)
    limits.hit(f"shop-codes:{shop}", limit=MAILS_PER_SHOP, per=timedelta(hours=1), at=wall)
    asked = EmailConfirmation.objects.create(
        id=f"emc_{secrets.token_urlsafe(16)}",
        shop_id=shop,
        email=address,
        email_key=_key(address),
        language=language,
        due_at=at,
        expires_wall=wall + GOOD_FOR,
    )
    doorbell.ring("perks.mail_shop_code", asked.pk)
    return asked


def confirm(*, ident: str, shop: int, code: str) -> Confirmed:
    """Try the code that the shopper was mailed. Raises NoSuchConfirmation: unknown, another shop's, or expired."""
    wall = clock.wall()
    rows = EmailConfirmation.objects.filter(pk=ident, shop=shop, expires_wall__gt=wall)
    tried = rows.filter(confirmed_wall=None, guesses__lt=MOST_GUESSES).update(guesses=F("guesses") + 1)
    row = rows.first()
    if row is None:
        raise NoSuchConfirmation
    right = hmac.compare_digest(code_of(row.pk).encode(), "".join(code.split()).encode())
    if tried and right and row.member_id is not None:
        until = wall + HOLDS_FOR
        rows.update(confirmed_wall=wall, expires_wall=until)
        return Confirmed(True, MOST_GUESSES - row.guesses, until)
    if right and row.confirmed_wall is not None:
        return Confirmed(True, MOST_GUESSES - row.guesses, row.expires_wall)
    return Confirmed(False, MOST_GUESSES - row.guesses, None)


def member_of(*, ident: str, shop: int, email: str) -> int | None:
    """Whose address it is, if its owner confirmed it to this shop lately."""
    confirmed = EmailConfirmation.objects.filter(pk=ident, shop=shop, confirmed_wall__isnull=False)
    row = confirmed.filter(email_key=_key(normalized(email)), expires_wall__gt=clock.wall()).first()
    return row.member_id if row else None


def mail(row: EmailConfirmation) -> None:
    """For the worker: write to the member who has this address, if one has, and forget it. Safe to repeat."""
    member = Member.objects.select_related("user").filter(user__email=row.email).first() if row.email else None
    if member is not None:
        code = code_of(row.pk)
        messages.write(
            key=f"shop-code:{row.pk}",
            kind="shop_code",
            member=member,
            at=clock.now(),
            context={
                "code": f"{code[:3]} {code[3:]}",
                "shop": Shop.objects.get(pk=row.shop_id).name,
                "minutes": int(GOOD_FOR.total_seconds() // 60),
            },
        )
    EmailConfirmation.objects.filter(pk=row.pk).update(email="", **({"member": member} if member else {}))


def sweep() -> int:
    """Forget what is over since a day."""
    old = EmailConfirmation.objects.filter(expires_wall__lt=clock.wall() - FORGOTTEN_AFTER)
    return old.delete()[0]


def normalized(email: str) -> str:
    return email.strip().lower()


def code_of(ident: str) -> str:
    """Six digits that only we can tell from the id: no code is kept."""
    return f"{int(_digest('shop-code', ident)[:15], 16) % 1_000_000:06d}"


def _key(address: str) -> str:
    return _digest("shop-address", address)


def _digest(purpose: str, text: str) -> str:
    return hmac.new(f"{purpose}:{settings.SECRET_KEY}".encode(), text.encode(), hashlib.sha256).hexdigest()
