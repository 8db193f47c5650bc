"""Shops and keys: a manager lets a shop in, rotates and revokes; a key is read once and kept nowhere."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core import serializers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from membership.models import AuditEntry
from perks import fresh, keys
from perks.models import ApiKey, Shop
from tests.console import clerks

pytestmark = pytest.mark.django_db
ALL = list(keys.SCOPES)


@pytest.fixture
def desk(db, clock):
    return clerks.at_desk(clerks.hired("manager", "Mara Voss"))


def told(answer) -> str:
    return " ".join(answer.content.decode().split())


def do(desk, path, **asked):
    """Both looks; -> what was read, the answer, and what was sent the second time."""
    sent = {"reason": "New till", **asked}
    first = desk.post(f"/console/shops/{path}", sent)
    assert first.status_code == 200, told(first)
    sent["confirmed"] = first.context["mark"]
    return first.context["lines"], desk.post(f"/console/shops/{path}", sent), sent


def key_in(answer) -> str:
    return re.search(r">(vip_test_[^<]+)</textarea>", answer.content.decode())[1]


def works(key) -> bool:
    fresh.forget_all()
    return Client().get("/api/v1/members/1", headers={"Authorization": f"Bearer {key}"}).status_code == 404


def let_in(desk):
    _, answer, _ = do(desk, "new/", name="Loden & Sons", scopes=ALL)
    return key_in(answer)


def test_a_shop_is_let_in_and_its_key_is_read_once_and_kept_nowhere(desk, caplog):
    lines, answer, sent = do(desk, "new/", name="Loden & Sons", scopes=["members:read"])
    key = key_in(answer)
    assert lines[0] == "Loden & Sons is let in, with one key."
    assert (answer["Cache-Control"], works(key)) == ("no-store", True)
    rows = [*ApiKey.objects.all(), *AuditEntry.objects.all(), *Shop.objects.all()]
    kept = serializers.serialize("json", rows) + json.dumps([one.get_decoded() for one in Session.objects.all()])
    assert key not in kept + caplog.text + told(desk.get("/console/shops/"))
    assert AuditEntry.objects.get(verb="create_key").data["reason"] == "New till"
    again = desk.post("/console/shops/new/", sent)  # as a browser does that loads the page once more
    assert (again.status_code, ApiKey.objects.count()) == (422, 1)
    assert "There is a shop with this name already." in told(again)


def test_the_list_names_each_key_with_who_made_it_and_its_state(desk, clock, django_assert_max_num_queries):
    old = let_in(desk)
    clock.move(hours=1)
    do(desk, f"keys/{ApiKey.objects.get().pk}/rotate/", overlap="24")
    with CaptureQueriesContext(connection) as one_shop:
        desk.get("/console/shops/")
    for n in range(5):
        keys.create(shop_name=f"Shop {n}", scopes=["perks:check"], at=clock.now, actor="system")
    with django_assert_max_num_queries(len(one_shop)):
        page = told(desk.get("/console/shops/"))
    assert old[:17] in page
    assert old[:20] not in page
    assert "Mara Voss" in page
    assert "“New till”" in page
    assert "works until" in page
    clock.move(hours=24)
    assert "worked until" in told(desk.get("/console/shops/"))


def test_a_key_is_rotated_with_an_overlap_and_the_old_one_ends_by_itself(desk, clock):
    old = let_in(desk)
    at = f"keys/{ApiKey.objects.get().pk}/rotate/"
    lines, answer, sent = do(desk, at, overlap="24")
    new = key_in(answer)
    assert lines[1] == f"{old[:17]}… works on for 24 h after that, then it is refused by itself."
    assert "then it is refused by itself." in told(answer)
    assert (works(old), works(new)) == (True, True)
    assert desk.post(f"/console/shops/{at}", sent).status_code == 409  # two live keys: another rotation must wait
    clock.move(hours=24)
    assert (works(old), works(new)) == (False, True)
    assert ApiKey.objects.first().retires_at - ApiKey.objects.first().created_at == timedelta(hours=24)


def test_a_key_is_replaced_at_once_and_revoked(desk):
    old = let_in(desk)
    new = key_in(do(desk, f"keys/{ApiKey.objects.get().pk}/rotate/", overlap="0")[1])
    assert (works(old), works(new)) == (False, True)
    lines, answer, sent = do(desk, f"keys/{ApiKey.objects.last().pk}/revoke/")
    assert (answer.status_code, works(new)) == (302, False)
    assert "its checkout is told of no perk until it has a new one" in lines[1]
    gone = desk.post(f"/console/shops/keys/{ApiKey.objects.last().pk}/revoke/", sent)
    assert (gone.status_code, "There is no live key" in told(gone)) == (404, True)


def test_a_second_key_is_made_and_a_third_refused(desk):
    let_in(desk)
    at = f"{Shop.objects.get().pk}/new-key/"
    lines, answer, sent = do(desk, at, scopes=["perks:check"])
    assert lines[1:] == [
        "It may: ask what a member may get on a basket.",
        f"{ApiKey.objects.first().prefix}… works on beside it.",
    ]
    assert ApiKey.objects.get(prefix=key_in(answer)[:17]).scopes == ["perks:check"]
    refused = desk.post(f"/console/shops/{at}", sent)
    assert (refused.status_code, "two live keys already" in told(refused)) == (409, True)


def test_only_managers_who_have_just_proven_themselves_make_keys(desk, clock):
    let_in(desk)
    tired = clerks.logged_in(clerks.hired("manager").user, clerks.PROVEN | {"at": 0})
    shop, key = Shop.objects.get().pk, ApiKey.objects.get().pk
    for path in ("new/", f"{shop}/new-key/", f"keys/{key}/rotate/", f"keys/{key}/revoke/"):
        assert "reauthenticate" in tired.post(f"/console/shops/{path}", {"reason": "x"})["Location"]
        for role in ("viewer", "support", "billing"):
            assert clerks.at_desk(clerks.hired(role)).get(f"/console/shops/{path}").status_code == 403
    assert ApiKey.objects.get().revoked_at is None
