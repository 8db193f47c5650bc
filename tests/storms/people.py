"""Who storms happen to: a programme on sale at the local Stripe, and people who are logged in."""

from __future__ import annotations

from django.test import Client

from billing import gateway, setup
from membership.models import Member
from tests import factories


def put_on_sale() -> None:
    """Bronze, silver and gold by the year."""
    for tier in factories.TIERS:
        factories.plan(f"{tier}-year")
    list(setup.prepare(gateway.client()))


def somebody(name: str) -> Member:
    return factories.member(name)


def tab_of(member: Member) -> Client:
    """A browser tab in which they are logged in."""
    tab = Client()
    tab.force_login(member.user, "allauth.account.auth_backends.AuthenticationBackend")
    return tab
