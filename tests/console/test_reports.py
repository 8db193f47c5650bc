"""Programme health, beside a small programme reckoned by hand (programme.py)."""

from __future__ import annotations

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from membership import lifecycle
from membership.models import AuditEntry
from perks.models import Perk
from tests import factories
from tests.console import clerks
from tests.console.programme import NOW, contested, given_back, joins, lived, paid_offline, pays, uses
from tests.factories import moment

pytestmark = pytest.mark.django_db
CODES = ("members", "retention", "money", "offline", "renewals", "perks", "at-risk")


@pytest.fixture
def programme(clock):
    return lived(clock)


@pytest.fixture
def manager():
    return clerks.at_desk(clerks.hired("manager"))


def exported(desk, code: str) -> list[list[str]]:
    answer = desk.post(f"/console/health/{code}/export/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_members_by_tier_and_standing(programme, manager):
    assert exported(manager, "members") == [
        ["Tier", "Current", "In grace", "Paused", "Suspended", "Lapsed", "Ended", "Not yet paid"],
        ["Gold", "3", "0", "0", "1", "0", "0", "0"],  # Ann, Bob, Jon; Gus
        ["Silver", "0", "1", "0", "0", "1", "0", "0"],  # Cem; Dan, whose place is not given free yet
        ["Bronze", "2", "0", "0", "0", "1", "0", "0"],  # Fay, Ned; Kim
        ["No tier yet", "0", "0", "0", "0", "0", "0", "1"],  # Hal
    ]


def test_joined_left_and_stayed(programme, manager):
    told = {row[0]: row[1:] for row in exported(manager, "retention")}
    assert told["Month"] == ["At the start", "Joined", "Left", "At the end", "Retention"]
    # Before December: Ann, Bob, Cem, Dan, Eve, Gus, Jon, Lou. (end - joined) / start, each month.
    assert told["2025-12"] == ["8", "1", "1", "8", "0.875000"]  # Kim; Eve
    assert told["2026-01"] == ["8", "0", "1", "7", "0.875000"]  # Kim left on the 31st, in Amsterdam
    assert told["2026-02"] == ["7", "0", "2", "5", "0.714286"]  # Dan, Lou
    assert told["2026-03"] == ["5", "3", "1", "7", "0.800000"]  # Fay, Ida, Ned; Ida
    assert told["2025-01"] == ["0", "2", "0", "2", ""]  # Ann, and Jon, who joined in 2024 by the clocks of London
    # March 2025 to February 2026: Ann, Dan, Eve, Jon, Lou; joined Bob, Cem, Gus, Kim; left Dan, Eve, Kim, Lou.
    assert told["12 months"] == ["5", "4", "4", "5", "0.200000"]
    assert "2024-12" not in told  # nobody yet


def test_a_pause_and_a_change_of_tier_are_seen(programme, manager):
    lifecycle.pause(membership=programme["bob"], until=moment("2026-04-01T10:00"), at=NOW, actor="test")
    lifecycle.change_tier(
        membership=programme["ann"], to_plan=factories.plan("silver-year"), source_ref="line", at=NOW, actor="test"
    )
    told = {row[0]: row[1:] for row in exported(manager, "members")}
    assert told["Gold"][:4] == ["1", "0", "1", "1"]  # Jon; Bob rests; Gus
    assert told["Silver"][:2] == ["1", "1"]  # Ann; Cem


def test_money_by_month(programme, manager):
    pays(programme["jon"], 11900, "2024-12-31T23:30")  # January 2025 in Amsterdam
    first = pays(programme["ann"], 11900, "2025-01-10T10:00")
    second = pays(programme["ann"], 11900, "2026-01-10T10:00")
    yen = pays(programme["gus"], 23800, "2025-04-01T10:00")
    given_back(first, 5000, "2026-01-20T10:00")
    given_back(first, 6900, "2026-01-21T10:00", state="failed")  # the money is with us again
    given_back(yen, 800, "2025-04-02T10:00")
    contested(second, "lost", "2026-02-03T10:00")
    contested(yen, "won", "2025-06-03T10:00")
    assert exported(manager, "money") == [
        ["Month", "Currency", "Paid", "Given back", "Disputes lost", "Kept"],
        ["2026-02", "EUR", "0.00", "0.00", "119.00", "-119.00"],
        ["2026-01", "EUR", "119.00", "50.00", "0.00", "69.00"],
        ["2025-04", "JPY", "23800", "800", "0", "23000"],
        ["2025-01", "EUR", "238.00", "0.00", "0.00", "238.00"],  # Ann's and Jon's
    ]


def test_paid_offline(programme, manager):
    paid_offline(programme["ann"], 11900, "2026-01-01")
    paid_offline(programme["bob"], 11900, "2026-01-31")
    paid_offline(programme["cem"], 5900, "2026-02-01")
    paid_offline(programme["gus"], 23800, "2026-01-15")
    paid_offline(programme["dan"], 5900, "2024-04-01")  # the first day of 24 months
    paid_offline(programme["eve"], 11900, "2024-03-31")
    assert exported(manager, "offline") == [
        ["Month", "Currency", "Payments", "Paid"],
        ["2026-02", "EUR", "1", "59.00"],
        ["2026-01", "JPY", "1", "23800"],
        ["2026-01", "EUR", "2", "238.00"],
        ["2024-04", "EUR", "1", "59.00"],
    ]


def test_days_given_free_put_a_renewal_off(programme, manager):
    lifecycle.extend(membership=programme["fay"], days=20, source_ref="late parcel", at=NOW, actor="test")
    told = [row[0:1] + row[2:7] for row in exported(manager, "renewals")[4:]]
    assert told == [
        ["2026-03-15", "EUR", "2", "0", "1", "0"],  # Ned; Ida leaves: not Fay, who has not renewed on 1 April
        ["2026-03-15", "JPY", "1", "0", "1", "0"],
        ["2026-04-14", "EUR", "1", "0", "1", "0"],  # but is to on the 21st
        ["2026-05-14", "EUR", "1", "0", "1", "0"],
    ]


def test_renewals_back_and_ahead(programme, manager):
    """Each span has thirty days, from 15 March on both ways."""
    head, *rows = exported(manager, "renewals")
    assert head[3:] == [
        "Terms ending",
        "Renewed",
        "Awaited",
        "Not paid",
        "Leaving",
        "Paid, of those that were to be",
        "Expected",
    ]
    assert [[row[0], *row[2:]] for row in rows] == [
        ["2025-12-15", "EUR", "2", "2", "0", "0", "0", "1.000000", "0.00"],  # Ann, Jon
        ["2026-01-14", "EUR", "3", "0", "0", "0", "3", "", "0.00"],  # Dan, Kim, and Eve, whose end was made
        ["2026-02-13", "EUR", "2", "0", "1", "1", "0", "0.000000", "59.00"],  # Cem is awaited; Lou never paid
        ["2026-03-15", "EUR", "3", "0", "2", "0", "1", "0.000000", "58.00"],  # Fay, Ned; Ida leaves
        ["2026-03-15", "JPY", "1", "0", "1", "0", "0", "0.000000", "23800"],  # Gus
        ["2026-05-14", "EUR", "1", "0", "1", "0", "0", "0.000000", "119.00"],  # Bob
    ]


@pytest.fixture
def shipping():
    return Perk.objects.create(code="shipping", names={"en": "=Free shipping", "de": "Versand"}, kind="free_shipping")


def test_use_of_perks(programme, shipping, manager):
    uses(programme["fay"], shipping, 1000, 300, "2026-03-10T10:00", back=200)
    uses(programme["fay"], shipping, 495, 250, "2026-03-11T10:00")
    uses(programme["ned"], shipping, 2900, 251, "2026-03-12T10:00")
    uses(programme["ned"], shipping, 900, 900, "2026-03-12T10:00", status="released")
    uses(programme["gus"], shipping, 800, 401, "2025-05-01T10:00")
    uses(programme["ann"], shipping, 700, 700, "2025-03-01T10:00")  # more than 365 days ago
    assert exported(manager, "perks")[1:] == [
        # 10.00 - 2.00 + 4.95 + 29.00; 3.00 + 2.50 + 2.51 = 8.01, for two members 4.005, half-up
        ["'=Free shipping", "EUR", "3", "2", "41.95", "8.01", "4.01"],  # and no formula for a spreadsheet
        ["'=Free shipping", "JPY", "1", "1", "800", "401", "401"],
    ]


def test_members_at_risk(programme, shipping, manager):
    uses(programme["fay"], shipping, 1000, 300, "2026-03-10T10:00", back=200)
    uses(programme["ned"], shipping, 2900, 300, "2026-03-12T10:00")  # had what he pays
    uses(programme["fay"], shipping, 2900, 300, "2025-02-10T10:00")  # before this term
    # Gus is stopped; Bob renews in 78 days; Ann and Jon next year.
    why = "Used €\xa08.00, renews for €\xa029.00 in 18 days"
    assert exported(manager, "at-risk")[1:] == [
        [programme["fay"].member.number, "2026-04-01", "18", "EUR", "29.00", "8.00", "0.275862", why],
    ]
    page = manager.get("/console/health/at-risk/").content.decode()
    assert f'href="/console/members/{int(programme["fay"].member.number)}/"' in page


def test_each_report_is_a_page_with_its_table_and_how_it_is_reckoned(programme, shipping, manager):
    uses(programme["fay"], shipping, 1000, 300, "2026-03-10T10:00")
    pays(programme["ann"], 11900, "2026-01-10T10:00")
    paid_offline(programme["fay"], 2900, "2026-02-14")
    index, told = manager.get("/console/health/").content.decode(), {}
    for code in CODES:
        page = told[code] = manager.get(f"/console/health/{code}/").content.decode()
        assert f'href="/console/health/{code}/"' in index
        assert "<table" in page, code
        assert ('<svg class="desk-drawing"' in page) == (code != "at-risk"), code
    assert "(members at the end − joined) / members at the start" in told["retention"]


def test_of_nothing_there_is_nothing(clock, manager):
    for code in CODES:
        page = manager.get(f"/console/health/{code}/")
        said = b"Nobody is at risk now" if code == "at-risk" else b"Nothing to count now"
        assert (page.status_code, said in page.content) == (200, True), code
        assert len(exported(manager, code)) == 1


def test_a_file_is_taken_by_name_and_only_by_who_may(programme, manager):
    manager.get("/console/health/money/export/")
    assert not AuditEntry.objects.filter(verb="export").exists()  # asking is not taking
    exported(manager, "money")
    entry = AuditEntry.objects.get(verb="export")
    assert (entry.subject, entry.actor[:6]) == ("report:money", "staff:")
    support = clerks.at_desk(clerks.hired("support"))
    assert b"/export/" not in support.get("/console/health/money/").content
    assert support.post("/console/health/money/export/").status_code == 403


@pytest.mark.parametrize("code", CODES)
def test_more_members_ask_no_more_questions(code, programme, manager):
    """Those plainly current cost a count; only who is in grace, stopped or over is loaded, a thousand at a time."""

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            manager.get(f"/console/health/{code}/")
        return len(queries)

    asked()  # the first visit of a session writes that it was there
    before = asked()
    for n in range(5):
        joins(f"New {n}", "gold-year", "2026-03-14T10:00")
    assert asked() == before
