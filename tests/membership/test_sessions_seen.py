"""Where and when a session was last seen: kept to the minute, and who only looks at pages writes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.urls import reverse
from django.utils import timezone

from membership.middleware import SEEN
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def looks(client):
    """Somebody who looks at a page of theirs, from an address. -> what is then kept of their session."""
    client.force_login(factories.member().user, "allauth.account.auth_backends.AuthenticationBackend")

    def look(address: str = "10.0.0.1") -> UserSession:
        assert client.get(reverse("settings"), REMOTE_ADDR=address).status_code == 200
        return UserSession.objects.get()

    return look


def test_a_second_look_writes_nothing(looks):
    assert looks().last_seen_at == looks().last_seen_at


def test_a_minute_later_it_is_noted(looks):
    first = looks()
    with time_machine.travel(timezone.now() + SEEN + timedelta(seconds=1), tick=False):
        assert looks().last_seen_at == timezone.now()
    assert UserSession.objects.get().created_at == first.created_at


def test_another_address_is_noted_at_once(looks):
    looks()
    assert looks("10.0.0.2").ip == "10.0.0.2"
