"""“Why no free delivery on 3 May?”: clerks find the check, what was answered then, and what the rules say today."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from membership.models import Member, Membership, Note
from membership.templatetags.vip import last_day
from perks import decisions
from perks.console.finding import used_on
from perks.console.replays import about
from perks.models import Decision, Grant
from tests.billing.test_sweep_plans import plan
from tests.console import clerks
from tests.console.test_membership_acts import Desk, said
from tests.perks.conftest import joined, laurel, shop  # noqa: F401

pytestmark = pytest.mark.django_db
BASKET = {
    "currency": "EUR",
    "lines": [{"id": "1", "sku": "COAT-9", "quantity": 2, "unit_amount": 12900, "categories": ["coats"], "sale": None}],
    "shipping": {"country": "NL", "method": "express", "amount": 995},
    "discounts": [],
}


@pytest.fixture
def ada(joined):  # noqa: F811
    return joined("silver-year").member


@pytest.fixture
def asked(shop, ada):  # noqa: F811
    """Silver asked for express delivery: a no. -> the check's answer."""
    return shop.check(member={"number": ada.number}, basket=BASKET, perks=["free-shipping", "standing-discount"])


@pytest.fixture
def client(db):
    return clerks.at_desk(clerks.hired("viewer"))


def words(answer) -> str:
    assert answer.status_code == 200
    body = re.search(r"<main.*?</main>", answer.content.decode(), re.DOTALL)[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split()).replace("\u00a0", " ")


class TestReplay:
    def test_says_what_was_asked_answered_and_would_be_answered_today(self, client, asked, ada, clock):
        told = words(client.get(f"/console/checks/{asked['id']}/"))
        assert "method_excluded" in told
        assert "not_in_tier" in told
        assert told.count("the same") >= 2
        assert "COAT-9 2 € 258.00" in told
        assert "Delivery, express, to NL € 9.95" in told
        clock.move(days=800)  # nobody paid meanwhile
        told = words(client.get(f"/console/checks/{asked['id']}/"))
        assert "method_excluded" in told
        assert "membership_lapsed" in told
        assert "They were then current silver" in told
        bought = Membership.objects.get()
        assert f"until {last_day(bought.entitled_until, bought.time_zone)}" in told  # the day they were promised
        assert "They are today lapsed" in told
        assert "It differs because they were current then, and are lapsed today." in told
        assert "Goods € 258.00 € 258.00 Delivery € 9.95 € 9.95" in told
        assert "To pay € 267.95 € 267.95" in told

    def test_is_found_by_day_and_by_perk_in_the_members_own_zone(self, client, asked, ada, clock):
        ada.user.time_zone = "Pacific/Auckland"
        ada.user.save()
        decisions.flush()
        Decision.objects.update(decided_at="2026-05-03T13:00:00Z")  # there it is the 4th already
        page = f"/console/members/{ada.number}/checks/"
        assert asked["id"] in client.get(f"{page}?day=2026-05-04").content.decode()
        assert "Nobody asked" in words(client.get(f"{page}?day=2026-05-03"))
        assert "kept for 13 months" in words(client.get(f"{page}?day=2026-05-03"))
        assert "This is no day" in words(client.get(f"{page}?day=3.5."))
        assert asked["id"] in client.get(f"{page}?perk=free-shipping").content.decode()
        assert asked["id"] not in client.get(f"{page}?perk=concierge").content.decode()
        assert "No shop asked about this perk" in words(client.get(f"{page}?perk=concierge"))
        old = Decision.objects.get()
        Decision.objects.bulk_create(
            Decision(
                id=f"chk_{hour}",
                shop=old.shop,
                member=ada,
                decided_at=old.decided_at + timedelta(hours=hour),
                question=old.question,
                answer=old.answer.replace("free-shipping", "concierge"),
            )
            for hour in range(1, 56)
        )
        assert asked["id"] in client.get(f"{page}?perk=free-shipping").content.decode()  # behind 55 later ones

    def test_the_same_is_said_only_of_what_a_shop_would_do_the_same_on(self, client, asked):
        decisions.flush()
        kept = Decision.objects.get()
        answer = json.loads(kept.answer)
        told = words(client.get(f"/console/checks/{asked['id']}/"))
        answer["decisions"][0]["effect"] = {"target": "returns", "days": 60}
        Decision.objects.update(answer=json.dumps(answer, separators=(",", ":")))
        assert words(client.get(f"/console/checks/{asked['id']}/")).count("the same") == told.count("the same") - 1

    def test_many_checks_cost_no_more_queries_than_one(self, client, asked, shop, ada):  # noqa: F811
        page = f"/console/members/{ada.number}/checks/"

        def count() -> int:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(page).status_code == 200
            return len(queries)

        count()
        few = count()
        for _ in range(5):
            shop.check(member={"number": ada.number}, basket=BASKET)
        client.get(page)
        assert count() == few

    def test_of_nobody_is_not_there(self, client, shop, laurel):  # noqa: F811
        nobody = shop.check(basket=BASKET, member={"number": "0000000000"})
        for address in (f"/console/checks/{nobody['id']}/", "/console/checks/chk_none/"):
            assert client.get(address).status_code == 404


class TestFind:
    def test_a_check_opens_by_its_name_and_an_order_leads_to_its_member(self, client, asked, shop, ada):  # noqa: F811
        assert client.get("/console/", {"q": asked["id"]}).url == f"/console/checks/{asked['id']}/"
        held = shop.check(
            member={"number": ada.number}, basket={**BASKET, "shipping": {**BASKET["shipping"], "method": "standard"}}
        )
        assert shop.ask_to_hold(held, "free-shipping", order="A-2026/77").status_code == 200
        assert client.get("/console/", {"q": " A-2026/77 "}).url == f"/console/members/{ada.number}/"
        assert "Nobody is found" in words(client.get("/console/", {"q": "A-2026/7"}))

    def test_two_members_of_one_order_number_are_told_with_their_shops(self, client, joined, shop):  # noqa: F811
        for _ in range(2):
            check = shop.check(member={"number": joined().member.number}, basket=BASKET)
            assert shop.ask_to_hold(check, "free-shipping", order="77").status_code == 200
        assert words(client.get("/console/", {"q": "77"})).count("77, Loden & Sons exact") == 2


@pytest.mark.parametrize("index", ["decisions_about_a_member", "redemptions_of_an_order"])
def test_is_asked_of(index, ada, clock):
    day = clock.now
    asked = {
        "decisions_about_a_member": about(ada).filter(decided_at__gte=day, decided_at__lt=day + timedelta(days=1)),
        "redemptions_of_an_order": used_on("77"),
    }
    assert index in plan(asked[index][:50])


def test_twin_without_its_index_it_is_not(db):
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX redemptions_of_an_order")
    assert "redemptions_of_an_order" not in plan(used_on("77")[:49])  # SQLite would remember the plan of 50


class TestNotes:
    def test_are_kept_once_for_colleagues_and_no_member_reads_them(self, ada, client):
        desk = Desk()
        page = desk.look("note", reason="Prefers the phone. Ask for Ada <b>only</b>.")
        assert said(page) == ["It is kept in the story with your name. Nobody changes it afterwards."]
        assert "Note: Prefers the phone. Ask for Ada &lt;b&gt;only&lt;/b&gt;." in page.content.decode()
        assert desk.confirm(page).status_code == 302
        assert desk.confirm(page).status_code == 302
        note = Note.objects.get()
        assert (note.member, note.written_by) == (ada, desk.clerk.actor)
        story = words(client.get(f"/console/members/{ada.number}/?show=notes"))
        assert "Prefers the phone. Ask for Ada <b>only</b>. Vik Rao" in story
        portal = clerks.logged_in(ada.user)
        for path in ("/portal/", "/portal/mails/", "/portal/settings/"):
            assert "Prefers the phone" not in portal.get(path).content.decode()

    def test_are_not_for_those_who_only_read(self, ada, client):
        assert client.get(f"/console/members/{ada.number}/note/").status_code == 403
        assert "Write a note" not in words(client.get(f"/console/members/{ada.number}/"))

    def test_too_long_a_note_is_refused_and_kept_in_the_form(self, ada):
        page = Desk().look("note", reason="x" * 2001)
        assert page.status_code == 422
        assert "x" * 2001 in page.content.decode()


def test_a_perk_of_goodwill_is_taken_back(ada, clock):
    desk = Desk()
    last = (clock.now + timedelta(days=10)).date().isoformat()
    desk.do("goodwill", perk="concierge", last_day=last)
    grant = Grant.objects.get(source="goodwill")
    page = desk.look("goodwill-back", given=grant.pk, reason="given to the wrong one")
    assert "It was given for: “parcel came late”." in said(page)[1]
    assert desk.confirm(page).status_code == 302
    grant.refresh_from_db()
    assert grant.ends_at == clock.now
    assert desk.client.get(desk.at("goodwill-back")).status_code == 200
    impossible = desk.client.get(desk.at("goodwill-back")).content.decode()
    assert "Not possible now" in impossible
    assert "Show what will happen" not in impossible
    assert Member.objects.count() == 1
