"""Letters that may be declined: the button of a mail program, the page behind the link, and nothing else declines."""

import email.policy
import re
from datetime import UTC, datetime

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client

from membership import cards, declining, emails, messages
from membership.models import Membership, TimelineEntry
from perks.models import Sale
from tests import factories

OPENS = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def member(joined, clock):
    """A silver member, to whom the sale opens within the week."""
    opens_at = OPENS.replace(day=11)
    Sale.objects.update(opens_at=opens_at, closes_at=opens_at.replace(day=20))
    return joined("silver-year", member=factories.member(time_zone="Europe/Amsterdam")).member


@pytest.fixture
def letter(member, clock):
    """As it left for the mail server."""
    clock.move_to(OPENS)
    call_command("tick")  # writes it
    call_command("tick")
    (sent,) = [m for m in mail.outbox if "Winter sale" in m.subject]
    return sent


def path_of(letter):
    return re.fullmatch(r"<http://[^/]+(/letters/[^>]+)>", letter.extra_headers["List-Unsubscribe"])[1]


def link(member, choice):
    return "/" + declining.link(declining.Asked(member, choice)).split("/", 3)[3]


def wants(member):
    member.refresh_from_db()
    return member.sale_letters


class TestTheMailPrograms:
    def test_button_needs_neither_log_in_nor_cookie(self, letter, member):
        assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        strict = Client(enforce_csrf_checks=True)
        for _ in range(2):
            told = strict.post(path_of(letter), {"List-Unsubscribe": "One-Click"})
            assert told.status_code == 200
        assert not wants(member)
        assert TimelineEntry.objects.get(kind="chose").data == {"sale_letters": False}

    def test_headers_are_whole_on_the_wire(self, letter):
        raw = letter.message(policy=email.policy.SMTP).as_bytes().decode()
        assert re.search(r"^List-Unsubscribe: <http://\S+/>\r$", raw, re.MULTILINE)
        assert re.search(r"^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$", raw, re.MULTILINE)


class TestThePage:
    def test_declines_by_its_button_and_not_by_looking(self, letter, member, client):
        path = path_of(letter)
        assert path in letter.body
        page = client.get(path).content.decode()
        client.head(path)
        assert wants(member)
        assert "letters about sales that open early for you" in page
        assert member.name not in page
        assert member.user.email not in page
        form = re.search(r'<form method="post"><button class="button">', page)
        assert form
        assert "You get no more of these letters" in client.post(path).content.decode()
        assert not wants(member)
        assert "<form method=" not in client.get(path).content.decode().partition("<main")[2].partition("</main")[0]

    def test_speaks_german(self, letter, client):
        page = client.get(path_of(letter), headers={"Accept-Language": "de"}).content.decode()
        assert "Sie bekommen dann nicht mehr: Briefe über Sales, die sich für Sie früher öffnen." in page

    def test_is_taken_back_in_the_settings(self, letter, member, client):
        client.post(path_of(letter))
        client.force_login(member.user)
        page = client.get("/portal/settings/").content.decode()
        assert not re.search(r'name="sale_letters"[^>]* checked', page)
        form = {"name": member.name, "language": "en", "time_zone": "Europe/Amsterdam", "sale_letters": "on"}
        client.post("/portal/settings/", form)
        assert wants(member)

    @pytest.mark.parametrize("how", ["changed", "of another choice", "empty"])
    def test_is_not_there_for_a_link_that_is_not_ours(self, letter, member, client, how):
        path = path_of(letter)
        forged = {
            "changed": f"{path[:-2]}{'x' if path[-2] != 'x' else 'y'}/",
            "of another choice": link(member, declining.Choice("found_by_email", "")),
            "empty": "/letters/x/",
        }[how]
        assert client.get(forged).status_code == client.post(forged).status_code == 404
        assert wants(member)


class TestLetters:
    def test_that_wait_to_be_sent_are_not_sent_any_more(self, member, clock, client):
        context = {"sale": Sale.objects.get(), "opens_at": OPENS, "is_open": False}
        messages.write(key="x", kind="first_access", context=context, at=clock.now, member=member)
        client.post(link(member, declining.choice_of("first_access")))
        call_command("tick")
        assert not [m for m in mail.outbox if "Winter sale" in m.subject]

    def test_about_the_membership_cannot_be_declined(self, member, clock):
        membership = Membership.objects.with_facts().get(member=member)
        card = cards.issue(member=member, at=clock.now, actor="system")
        emails.welcome(membership=membership, card=card, at=clock.now)
        call_command("tick")
        (sent,) = mail.outbox
        assert not any(name.startswith("List-") for name in sent.extra_headers)
        assert "/letters/" not in sent.body
