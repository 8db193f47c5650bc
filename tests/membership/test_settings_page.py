"""The member's own settings."""

from __future__ import annotations

import pytest
from django.test import Client

from membership.models import AuditEntry, Member, SearchKey, TimelineEntry
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client) -> Member:
    member = factories.member("Ada Lovelace")
    client.force_login(member.user)
    return member


def test_asks_strangers_to_log_in(client: Client) -> None:
    assert client.get("/portal/settings/").headers["Location"] == "/account/login/?next=/portal/settings/"


def test_saves_name_language_and_zone_and_search_follows(client: Client, ada: Member) -> None:
    form = {"name": "Augusta  King", "language": "de", "time_zone": "Asia/Tokyo"}
    answer = client.post("/portal/settings/", form, follow=True)
    ada.refresh_from_db()
    assert (ada.name, ada.user.language, ada.user.time_zone) == ("Augusta King", "de", "Asia/Tokyo")
    assert '<html lang="de">' in answer.content.decode()
    assert SearchKey.objects.filter(kind="name", value="augusta king").exists()
    assert not SearchKey.objects.filter(kind="name", value="lovelace").exists()


def test_keeps_that_a_name_was_changed_but_no_name(client: Client, ada: Member) -> None:
    form = {"name": "Augusta King", "language": "en", "time_zone": "Asia/Tokyo"}
    for _twice in range(2):
        client.post("/portal/settings/", form)
    told = TimelineEntry.objects.get(member=ada, kind="renamed")
    audited = AuditEntry.objects.get(verb="rename")
    assert (told.actor, told.data) == (f"member:{ada.pk}", {})
    assert (audited.actor, audited.subject, audited.data) == (f"member:{ada.pk}", f"member:{ada.pk}", {})


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("name", "x" * 121), ("language", "xx"), ("time_zone", "Mars/Olympus")]
)
def test_refuses_beside_the_field_and_keeps_what_was_typed(client: Client, ada: Member, field: str, value: str) -> None:
    form = {"name": "Augusta King", "language": "de", "time_zone": "Asia/Tokyo", field: value}
    answer = client.post("/portal/settings/", form)
    ada.refresh_from_db()
    assert answer.status_code == 200
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert ada.name == "Ada Lovelace"


def test_writes_names_as_text_only(client: Client, ada: Member) -> None:
    form = {"name": "<script>alert(1)</script>", "language": "en", "time_zone": "Asia/Tokyo"}
    client.post("/portal/settings/", form)
    assert b"<script>alert" not in client.get("/portal/").content
