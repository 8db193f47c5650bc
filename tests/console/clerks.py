"""Staff for tests: a person in a role, at a browser that has shown its second factor."""

from __future__ import annotations

import time

from allauth.account.internal.flows import login
from django.test import Client

from membership import audit, clock, staff
from membership.models import Staff, User
from membership.roles import Role
from tests import factories

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PROVEN = {"method": "mfa", "type": "totp", "reauthenticated": True}


def hired(role: str = "support", name: str = "Vik Rao") -> Staff:
    """A colleague in this role, appointed as the first manager would be where there is none."""
    user = factories.user()
    held = Staff.objects.create(user=user, role=Role(role), name=name, granted_at=clock.now())
    audit.write(actor="command:test", verb="grant_role", subject=f"user:{user.pk}", at=held.granted_at)
    assert staff.of(user) == held
    return held


def at_desk(held: Staff, *, proven: bool = True) -> Client:
    """Their browser, logged in; `proven`: with an app's code, this minute."""
    return logged_in(held.user, *([PROVEN | {"at": time.time()}] if proven else []))


def logged_in(user: User, *records: dict) -> Client:
    client = Client()
    client.force_login(user, BACKEND)
    session = client.session
    session[login.AUTHENTICATION_METHODS_SESSION_KEY] = list(records)
    session[login._AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
    session.save()
    return client
