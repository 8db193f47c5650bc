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


MARKED = "Ada \u202eecalevoL\u2066\u200b"  # a mark that turns text around, an isolate, a space nobody sees


def test_takes_marks_that_nobody_sees_out_of_a_name(client: Client, ada: Member) -> None:
    client.post("/portal/settings/", {"name": MARKED, "language": "en", "time_zone": "Asia/Tokyo"})
    ada.refresh_from_db()
    assert ada.name == "Ada ecalevoL"


def test_a_name_of_such_marks_alone_is_none(client: Client, ada: Member) -> None:
    answer = client.post("/portal/settings/", {"name": "\u202e\u2066", "language": "en", "time_zone": "Asia/Tokyo"})
    ada.refresh_from_db()
    assert 'id="id_name_error"' in answer.content.decode()
    assert ada.name == "Ada Lovelace"


def test_keeps_the_joiners_that_shape_letters(client: Client, ada: Member) -> None:
    name = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    client.post("/portal/settings/", {"name": name, "language": "en", "time_zone": "Asia/Tokyo"})
    ada.refresh_from_db()
    assert ada.name == name


def test_zones_stand_under_their_region_in_the_readers_language(client: Client, ada: Member) -> None:
    client.post("/portal/settings/", {"name": "Ada", "language": "de", "time_zone": "Asia/Tokyo"})
    page = client.get("/portal/settings/").content.decode()
    assert '<optgroup label="Europa">' in page
    assert '<option value="America/Argentina/Buenos_Aires">Argentina, Buenos Aires</option>' in page
    assert '<option value="Asia/Tokyo" selected>Tokyo</option>' in page
    assert "US/Eastern" not in page


def test_a_zone_under_an_older_name_is_offered_to_whoever_has_it(client: Client, ada: Member) -> None:
    ada.user.time_zone = "US/Eastern"
    ada.user.save()
    assert '<option value="US/Eastern" selected>US/Eastern</option>' in client.get("/portal/settings/").content.decode()


def test_keeps_a_birthday_once_and_the_day_itself_in_no_history(client: Client, ada: Member) -> None:
    form = {"name": "Ada", "language": "en", "time_zone": "UTC", "birthday": "1990-03-05"}
    client.post("/portal/settings/", form)
    client.post("/portal/settings/", form | {"birthday": "1990-12-05"})
    ada.refresh_from_db()
    assert str(ada.birthday) == "1990-03-05"
    told = TimelineEntry.objects.get(member=ada, kind="told_birthday")
    audited = AuditEntry.objects.get(verb="tell_birthday")
    assert (told.data, audited.data) == ({}, {})


@pytest.mark.parametrize("day", ["2999-01-01", "1800-01-01", "yesterday"])
def test_refuses_a_day_on_which_nobody_was_born(client: Client, ada: Member, day: str) -> None:
    form = {"name": "Ada", "language": "en", "time_zone": "UTC", "birthday": day}
    assert "birthday" in client.post("/portal/settings/", form).context["form"].errors
    ada.refresh_from_db()
    assert ada.birthday is None
