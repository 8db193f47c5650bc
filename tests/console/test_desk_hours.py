"""Managers set the desk's hours and holidays: previewed with what it promises, and what was promised stays."""

from __future__ import annotations

import contextlib
import threading

import pytest

from membership.models import AuditEntry
from perks.concierge import desk_changes
from perks.models import DeskChange, Holiday, WorkingHours
from tests.billing.test_races import at_once
from tests.console import clerks
from tests.console.test_catalogue import typed
from tests.invariants import without_constraint
from tests.perks.concierge.conftest import ada
from tests.perks.conftest import joined, laurel

__all__ = ["ada", "joined", "laurel"]
pytestmark = pytest.mark.django_db
AT = "/console/concierge/hours/"
WAS = "2 March 2026, 15:00"
MONDAYS = {f"day_{n}": "" for n in range(1, 7)} | {"day_0": "09:00-12:00"}


@pytest.fixture
def desk(db, clock):
    return clerks.at_desk(clerks.hired("manager", "Mara Voss"))


def filled(desk, **changes):
    return typed(desk.get(AT).context["form"]) | {"reason": "Spring"} | changes


def confirm(desk, sent):
    first = desk.post(AT, sent)
    assert first.status_code == 200, first.content.decode()
    return first.context["lines"], desk.post(AT, sent | {"confirmed": first.context["mark"]})


def test_hours_and_a_holiday_are_set_and_no_promise_moves(desk, ada, clock):
    told = ada.ask("before")
    promised = told.due_at
    lines, answer = confirm(desk, filled(desk, **MONDAYS, holidays="2026-03-09 Spring day"))
    assert lines == [
        "The desk is open: Monday, 09:00 to 12:00. Until now: Monday to Friday, 09:00 to 18:00.",
        "Closed on 9 March 2026: Spring day.",
        f"Who writes now and was sold 4 working hours is answered by 16 March 2026, 12:00; as it was: by {WAS}.",
        "1 request was told a time, and keeps it.",
        "1 of them is owed at a moment at which the desk would be closed: answer it before.",
    ]
    assert answer["Location"] == "/console/concierge/"
    told.refresh_from_db()
    assert told.due_at == promised
    assert ada.ask("after").due_at.isoformat() == "2026-03-16T11:00:00+00:00"
    page = desk.get("/console/concierge/").content.decode()
    assert "Monday, 09:00 to 12:00" in page
    assert "9 March 2026 (Spring day)" in page
    entry = AuditEntry.objects.get(verb="change_desk_hours")
    assert (entry.data["reason"], entry.data["is"]["hours"]) == ("Spring", {"0": [[540, 720]]})


def test_holidays_that_are_over_stay_and_those_ahead_may_go(desk, clock):
    Holiday.objects.create(day="2026-01-01", name="New Year")
    Holiday.objects.create(day="2026-12-25", name="Christmas Day")
    sent = filled(desk)
    assert sent["holidays"] == "2026-12-25 Christmas Day"
    lines, _ = confirm(desk, sent | {"holidays": ""})
    assert lines[0] == "Open on 25 December 2026, no longer a holiday: Christmas Day."
    assert [one.name for one in Holiday.objects.all()] == ["New Year"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"day_0": "nine to five"}, "Write it as 09:00–18:00"),
        ({"day_0": "18:00-09:00"}, "It closes after it opens"),
        ({"day_0": "09:00-12:00, 11:00-13:00"}, "Two of these overlap."),
        ({"holidays": "2026-02-30 Never"}, "is no day with its name"),
        ({"holidays": "2025-12-25 Past"}, "is over, or stands here twice"),
        ({f"day_{n}": "" for n in range(7)}, "A desk that never opens owes no answer"),
        ({}, "These are the hours and holidays already."),
    ],
)
def test_what_cannot_be_is_said_and_sets_nothing(desk, changes, said):
    answer = desk.post(AT, filled(desk, **changes))
    assert (answer.status_code, said in answer.content.decode()) == (422, True)
    assert not WorkingHours.objects.exists()


def test_only_managers_set_them(desk):
    for role in ("viewer", "support", "billing"):
        other = clerks.at_desk(clerks.hired(role))
        assert other.post(AT, filled(desk, **MONDAYS)).status_code == 403
        assert "/concierge/hours/" not in other.get("/console/concierge/").content.decode()


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    @pytest.fixture
    def both(self, desk, monkeypatch):
        """-> what each was answered who confirms other hours, and neither has seen the other's."""
        other = clerks.at_desk(clerks.hired("manager", "Ines Roth"))
        pairs = [(desk, filled(desk, day_0="08:00-12:00")), (other, filled(desk, day_0="13:00-20:00"))]
        sent = [(who, form | {"confirmed": who.post(AT, form).context["mark"]}) for who, form in pairs]
        meeting, change = threading.Barrier(2), desk_changes.change

        def both(turn=None):
            def waits(**asked):
                with contextlib.suppress(threading.BrokenBarrierError):
                    meeting.wait(20)
                with turn or contextlib.nullcontext():
                    return change(**asked)

            monkeypatch.setattr(desk_changes, "change", waits)
            return at_once(*[lambda who=who, form=form: who.post(AT, form) for who, form in sent])

        return both

    def mondays(self):
        return sorted(WorkingHours.objects.filter(weekday=0).values_list("opens", "closes"))

    def test_one_is_set_whole_and_the_other_told(self, both):
        answers = both()
        assert sorted(answer.status_code for answer in answers) == [302, 409]
        assert self.mondays() in ([(480, 720)], [(780, 1200)])

    def test_twin_without_the_constraint_the_second_takes_the_place_of_what_it_never_saw(self, both):
        # One after the other has looked: at the same instant the hours' own constraint would refuse the second too.
        with without_constraint(DeskChange, "one_desk_change_per_number"):
            assert [answer.status_code for answer in both(threading.Lock())] == [302, 302]
