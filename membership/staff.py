"""Roles given and taken. The sole writer of Staff; called by `manage.py staff`.

The first manager is let in by whoever runs the installation; from then on every grant names a colleague who may, and
nobody grants themselves (the database refuses it too).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from django.db import transaction

from membership import audit
from membership.errors import DomainError
from membership.models import Staff, User
from membership.roles import Permission, Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.contrib.auth.models import AnonymousUser


class NotYours(DomainError):
    """Who grants or takes a role may not: no manager, or it is their own."""

    code = "not_yours_to_grant"
    status = 403
    message = "Only a manager grants roles, and nobody their own."


class NotStaff(DomainError):
    code = "not_staff"
    status = 404
    message = "This account has no role."


class NotConfirmed(DomainError):
    """An account whose address nobody has proven may have been opened by a stranger, with a password of their own."""

    code = "address_not_confirmed"
    message = "This account's address is not confirmed. Its owner logs in once, then the role can be given."


def of(user: User | AnonymousUser | None) -> Staff | None:
    """The role that an account holds now; None for members and strangers."""
    if not isinstance(user, User):
        return None
    held = Staff.objects.filter(user=user, revoked_at=None).first()
    if held is not None:
        held.user = user
    return held


def who_hold(roles: Sequence[Role]) -> list[Staff]:
    """Everybody who holds one of these roles now, the newest first; three at most."""
    held = Staff.objects.filter(role__in=roles, revoked_at=None)
    return list(held.order_by("-granted_at", "-pk")[:3])


def has_manager() -> bool:
    return Staff.objects.filter(role=Role.MANAGER, revoked_at=None).exists()


def account(*, email: str, at: datetime) -> User:
    """The account with this address, made if there is none: its owner proves the address by the code that a log-in or
    a new password is mailed. Raises NotConfirmed."""
    with transaction.atomic():
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            user = User.objects.create_user(email, created_at=at)
            EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
        if not EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists():
            raise NotConfirmed
        return user


def grant(*, user: User, role: Role, name: str, at: datetime, by: User | None, said_by: str = "") -> Staff:
    """`user` holds `role` from now on, in place of any before. `by` None: at the command line, by `said_by`, which is
    open only while there is no manager. Raises NotYours."""
    with transaction.atomic():
        _may_appoint(by, about=user)
        facts = {"name": name, "role": role, "granted_by": by, "granted_at": at, "revoked_at": None}
        held, _ = Staff.objects.update_or_create(user=user, defaults=facts)
        _record("grant_role", user, by, said_by, at, role=str(role))
        return held


def revoke(*, user: User, at: datetime, by: User | None) -> None:
    """No role any more, from the next request on. Raises NotYours, NotStaff."""
    with transaction.atomic():
        _may_appoint(by, about=user)
        if not Staff.objects.filter(user=user, revoked_at=None).update(revoked_at=at):
            raise NotStaff
        _record("revoke_role", user, by, "", at)


def _may_appoint(by: User | None, *, about: User) -> None:
    if by is None and not has_manager():
        return
    held = of(by)
    if held is None or held.user_id == about.pk or not held.may(Permission.APPOINT):
        raise NotYours


def _record(verb: str, user: User, by: User | None, said_by: str, at: datetime, **facts: str) -> None:
    actor = f"staff:{by.pk}" if by else f"command:{said_by}"[:64]
    audit.write(actor=actor, verb=verb, subject=f"user:{user.pk}", at=at, data=dict(facts))
