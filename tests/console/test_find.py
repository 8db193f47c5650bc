"""The one box: by name, address, number, Stripe id or card; exact before what only begins so; by an index."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from membership import card_token, cards, lifecycle, numbers, search
from membership.models import SearchKey
from tests import factories
from tests.console import clerks

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(clock):
    member = factories.member("Ada Lovelace", email="ada@example.org")
    search.put(member=member, kind=SearchKey.Kind.STRIPE, value="cus_QX7Lovelace")
    return member


@pytest.fixture
def desk(clock):
    return clerks.at_desk(clerks.hired("viewer"))


def names(text: str) -> list[str]:
    return [found.member.name for found in search.find(text)]


class TestFinds:
    @pytest.mark.parametrize(
        "text", ["Ada Lovelace", "ada", "LOVE", "lovelace ada", "love a", "ada@exam", "cus_QX7Lovelace", "cus_QX7"]
    )
    def test_by_what_she_is_known_by(self, ada, text):
        factories.member("Bram de Wit")
        assert names(text) == ["Ada Lovelace"]

    def test_by_number_as_it_is_read_out(self, ada):
        assert names(numbers.group(ada.number)) == names(ada.number[:6]) == ["Ada Lovelace"]

    def test_by_the_card_and_by_what_its_code_says(self, ada, clock):
        card = cards.issue(member=ada, at=clock.now, actor="system")
        assert names(str(card.pk)) == names(card_token.issue(card.pk)) == ["Ada Lovelace"]

    def test_without_the_marks_above_letters(self, clock):
        factories.member("Zoë Ångström")
        assert names("zoe angs") == names("ZOË") == ["Zoë Ångström"]

    def test_by_two_parts_that_are_both_common(self, clock, monkeypatch):
        """What is looked at by hand is not all there is: then the database is asked for both at once."""
        monkeypatch.setattr(search, "MANY", 3)
        for n in range(5):
            factories.member(f"Ada No{n}")
            factories.member(f"Bo{n} Lovelace")
        factories.member("Ada de Lovelace")
        assert names("lovelace ada") == names("ada love") == ["Ada de Lovelace"]

    def test_the_exact_one_first(self, clock):
        for name in ("Anna Marie", "Ann", "Annabel"):
            factories.member(name)
        assert names("ann") == ["Ann", "Anna Marie", "Annabel"]

    @pytest.mark.parametrize("text", ["", " ", "\0", "%", "_", "a", "xyz", "ada xyz", "lovelace%", "'", "\\"])
    def test_nobody_by_nothing(self, ada, text):
        assert names(text) == []


class TestBox:
    def test_opens_the_one_who_is_meant(self, desk, ada):
        assert desk.get("/console/", {"q": "ada@example.org"})["Location"] == f"/console/members/{ada.number}/"

    def test_lists_those_who_may_be(self, desk, ada):
        page = desk.get("/console/", {"q": "love"}).content.decode()
        assert f'href="/console/members/{ada.number}/"' in page

    def test_asks_no_more_of_many_than_of_two(self, desk, clock):
        def queries(name: str) -> int:
            with CaptureQueriesContext(connection) as asked:
                assert desk.get("/console/", {"q": name}).status_code == 200
            return len(asked)

        for n in range(8):
            fact = {"plan": factories.plan(), "at": clock.now, "actor": "test"}
            own = lifecycle.reserve(
                member=factories.member(f"{'Two' if n < 2 else 'Many'} {n}"), currency="EUR", **fact
            )
            lifecycle.add_term(membership=own, source="paid", source_ref=f"test:{n}", **fact)
        queries("two")  # the first visit keeps what later ones find
        assert queries("two") == queries("many")

    def test_says_when_there_is_nobody(self, desk, ada):
        assert "Nobody is found" in desk.get("/console/", {"q": "<b>"}).content.decode()


ASKED = {
    "exact": lambda: search.exact("ada")[:100],
    "beginning": lambda: search.beginning("ada")[:100],
    "beginning of a whole name": lambda: search.beginning("ada love")[:100],
    "beginning of a number": lambda: search.beginning("4821 00")[:100],
}


def plan(rows) -> str:
    """How the database would answer, were its tables too large to be read whole."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        return str(rows.explain())


def looks_up(told: str) -> bool:
    """Whether the index narrows the keys down, rather than being read from end to end."""
    line = next((line for line in told.splitlines() if "search_by_value_or_start" in line), "")
    if connection.vendor == "postgresql":
        return bool(line) and "Index Cond" in told
    return line.lstrip("0123456789 ").startswith("SEARCH") and "value" in line.split("(")[-1]


@pytest.mark.parametrize("question", ASKED)
def test_is_looked_up_in_the_index(question, ada):
    told = plan(ASKED[question]())
    assert looks_up(told), told


def test_twin_without_the_index_it_is_not(ada):
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX search_by_value_or_start")
    assert not looks_up(plan(search.beginning("ada")[:99]))  # other SQL: SQLite would explain what it kept prepared
