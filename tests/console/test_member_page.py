"""One member's page: who, the facts, the story in words, and only acts that fit."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from membership import cards, lifecycle, messages, signup, stories
from membership.models import TimelineEntry
from tests import factories
from tests.console import clerks

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(clock):
    """Gold since this moment, with her card."""
    member = factories.member("Ada Lovelace", at=clock.now)
    fact = {"plan": factories.plan("gold-year"), "at": clock.now, "actor": "test"}
    membership = lifecycle.reserve(member=member, currency="EUR", **fact)
    clock.move(minutes=1)
    lifecycle.add_term(membership=membership, source="paid", source_ref="in_1", **(fact | {"at": clock.now}))
    cards.issue(member=member, at=clock.now, actor="system")
    return member


@pytest.fixture
def desk(clock):
    return clerks.at_desk(clerks.hired("support"))


def shown(desk, member, **query: str) -> str:
    answer = desk.get(f"/console/members/{member.number}/", query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().replace("\u00a0", " ").split())


def words(member, **asked) -> list[str]:
    return [line.words for line in stories.of(member, **asked).lines]


class TestPage:
    def test_reads_her_membership_once_whatever_is_offered(self, ada, clock):
        manager = clerks.at_desk(clerks.hired("manager"))
        shown(manager, ada)  # the first visit of a session writes that it was there
        with CaptureQueriesContext(connection) as asked:
            page = shown(manager, ada)
        assert "Cancel the membership" in page
        terms = [query for query in asked if 'FROM "membership_term" ' in query["sql"]]
        assert len(terms) == 1, terms

    def test_says_what_she_is_and_until_when(self, desk, ada):
        page = shown(desk, ada)
        assert "<h1>Ada Lovelace</h1>" in page
        assert "current" in page
        assert "2 March 2027" in page

    def test_of_who_never_had_a_membership(self, desk, clock):
        assert "never had a membership" in shown(desk, factories.member("Dario Okonkwo"))

    def test_of_nobody_is_not_there(self, desk):
        assert desk.get("/console/members/1234567890/").status_code == 404

    def test_reads_german(self, clock, ada):
        clerk = clerks.hired("viewer")
        clerk.user.language = "de"
        clerk.user.save()
        assert "Ein Zeitraum kam hinzu (bezahlt)" in shown(clerks.at_desk(clerk), ada)


class TestStory:
    def test_tells_what_happened_the_newest_first(self, ada):
        assert words(ada) == [
            "A card was issued.",
            "A term was added (paid): 2 March 2026 to 2 March 2027, gold-year.",
            "Began to join: gold-year.",
            "Signed up.",
        ]

    def test_by_kind(self, ada):
        assert words(ada, group="account") == ["A card was issued.", "Signed up."]
        assert words(ada, group="mails") == []

    def test_mails_stand_where_they_were_written(self, ada, clock):
        clock.move(minutes=1)
        messages.write(key="w", kind="welcome", member=ada, at=clock.now, context={"tier": "Gold"})
        line = stories.of(ada).lines[0]
        assert (line.group, line.note) == ("mails", "Mail, waits to be sent")

    def test_codes_are_shown_to_nobody(self, desk, ada, clock):
        context = {"code": "SECRET-1", "minutes": 10}
        messages.write(key="c", kind="account_login_code", member=ada, at=clock.now, context=context)
        page = shown(desk, ada)
        assert ("SECRET-1" in page, "A mail with a one-time code." in page) == (False, True)

    def test_names_the_colleague_and_not_the_members(self, ada, clock):
        clerk = clerks.hired("support", "Vik Rao")
        clock.move(minutes=1)
        signup.rename_member(member=ada, name="Ada King", at=clock.now, actor=clerk.actor)
        assert stories.of(ada).lines[0].who == "Vik Rao"
        assert stories.of(ada).lines[-1].who == "the member"

    def test_goes_on_page_by_page_and_loses_nothing(self, ada, clock):
        for n in range(stories.SHOWN + 5):
            clock.move(minutes=1)
            TimelineEntry.objects.create(member=ada, at=clock.now, kind="told_birthday", actor="system", data={"n": n})
        first = stories.of(ada)
        second = stories.of(ada, before=first.older)
        assert (len(first.lines), len(second.lines), second.older) == (stories.SHOWN, 5 + 4, None)

    @pytest.mark.parametrize("before", ["nonsense", "2026-03-02", ""])
    def test_an_address_cut_short_shows_the_newest(self, desk, ada, before):
        assert "A card was issued." in shown(desk, ada, before=before)
