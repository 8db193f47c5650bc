"""Two managers save the same perk at once: one draft is kept, the other is told; and with the defence off."""

from __future__ import annotations

import contextlib
import threading

import pytest

from perks import drafts
from perks.models import Perk, PerkDraft
from tests.billing.test_races import at_once
from tests.console import clerks
from tests.console.test_catalogue import GOLD, filled
from tests.invariants import without_constraint
from tests.perks.conftest import laurel

__all__ = ["laurel"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both_have_looked(monkeypatch):
    """Nobody writes before both have seen the same: the worst moment there is. SQLite lets one write at a time, so the
    second is given what it would have seen before the first came."""
    meeting, insert = threading.Barrier(2), drafts._insert

    def waits(perk, newest, **fields):
        with contextlib.suppress(threading.BrokenBarrierError):
            meeting.wait(0.5)
        return insert(perk, None, **fields)

    monkeypatch.setattr(drafts, "seen", lambda perk: "the same")
    monkeypatch.setattr(drafts, "_insert", waits)


@pytest.fixture
def save_both(laurel, both_have_looked):
    """-> what each was answered, of two desks that send 10 and 7 percent at once."""
    desks = [clerks.at_desk(clerks.hired("manager", name)) for name in ("Mara Voss", "Ines Roth")]
    sent = [filled(desk, GOLD, percent=percent) for desk, percent in zip(desks, ("10", "7"), strict=True)]
    return lambda: at_once(
        lambda: desks[0].post(GOLD, sent[0]),
        lambda: desks[1].post(GOLD, sent[1]),
    )


def kept() -> list[int]:
    return list(
        PerkDraft.objects.filter(perk=Perk.objects.get(code="standing-discount")).values_list("number", flat=True)
    )


def test_one_is_saved_and_the_other_is_told_whose_and_keeps_what_they_typed(save_both):
    answers = save_both()
    assert sorted(answer.status_code for answer in answers) == [302, 409]
    told = next(answer for answer in answers if answer.status_code == 409)
    assert "saved a draft on" in told.content.decode()
    assert told.context["form"]["percent"].value() in ("10", "7")
    assert kept() == [1]


def test_twin_without_the_constraint_both_are_and_one_is_lost_from_sight(save_both):
    with without_constraint(PerkDraft, "one_draft_per_number"):
        assert [answer.status_code for answer in save_both()] == [302, 302]
        assert kept() == [1, 1]
