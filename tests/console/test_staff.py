"""Roles given and taken, through the command; what the console does with them is test_access.py."""

from __future__ import annotations

import io

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from membership import staff
from membership.models import AuditEntry, Staff, User
from tests import factories
from tests.console import clerks

pytestmark = pytest.mark.django_db


def run(*args: str) -> str:
    out = io.StringIO()
    call_command("staff", *args, stdout=out)
    return out.getvalue()


def grant(email: str, role: str, by: str) -> str:
    return run("grant", email, role, "--name", "Mara Voss", "--by", by)


class TestGrant:
    def test_lets_the_first_manager_in_and_says_who_did(self):
        grant("mara@shop.example", "manager", "Ines, operations")
        held = Staff.objects.get(user__email="mara@shop.example")
        assert (held.role, held.granted_by) == ("manager", None)
        entry = AuditEntry.objects.get(verb="grant_role")
        assert (entry.actor, entry.subject) == ("command:Ines, operations", f"user:{held.user_id}")

    def test_then_only_a_manager_grants(self):
        grant("mara@shop.example", "manager", "Ines")
        with pytest.raises(CommandError, match="manager's address"):
            grant("vik@shop.example", "manager", "Ines")
        grant("vik@shop.example", "support", "mara@shop.example")
        with pytest.raises(CommandError, match="Only a manager"):
            grant("lou@shop.example", "viewer", "vik@shop.example")
        assert Staff.objects.count() == 2

    def test_nobody_grants_themselves(self):
        grant("mara@shop.example", "manager", "Ines")
        with pytest.raises(CommandError, match="nobody their own"):
            grant("mara@shop.example", "support", "mara@shop.example")

    def test_nor_does_the_database_let_them(self, clock):
        user = factories.user()
        with pytest.raises(IntegrityError, match="nobody_grants_themselves_a_role"):
            Staff.objects.create(user=user, role="manager", name="M", granted_by=user, granted_at=clock.now)

    def test_a_new_account_has_no_password_and_a_mailed_code_opens_it(self):
        grant("mara@shop.example", "manager", "Ines")
        user = User.objects.get(email="mara@shop.example")
        assert not user.has_usable_password()
        assert EmailAddress.objects.get(user=user).verified

    def test_an_account_whose_address_nobody_proved_gets_none(self):
        factories.user("mara@shop.example")
        with pytest.raises(CommandError, match="not confirmed"):
            grant("mara@shop.example", "manager", "Ines")


class TestRevoke:
    def test_takes_the_role_away(self):
        grant("mara@shop.example", "manager", "Ines")
        grant("vik@shop.example", "support", "mara@shop.example")
        run("revoke", "vik@shop.example", "--by", "mara@shop.example")
        assert staff.of(User.objects.get(email="vik@shop.example")) is None
        assert run("list").split() == ["manager", "mara@shop.example", "Mara", "Voss"]

    def test_nobody_takes_their_own(self):
        mara = clerks.hired("manager")
        with pytest.raises(CommandError, match="nobody their own"):
            run("revoke", mara.user.email, "--by", mara.user.email)
