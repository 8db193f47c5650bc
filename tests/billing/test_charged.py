"""“I was charged after I canceled”: the console says what is so, in sentences to be read out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.console.charged import since_canceling
from billing.models import Invoice
from membership import stories
from membership.models import Membership
from tests.console import clerks

pytestmark = pytest.mark.django_db


def told() -> list[str]:
    return [sentence.replace("\u00a0", " ") for sentence in since_canceling(Membership.objects.get())]


def test_the_charge_before_is_told_with_its_term_and_one_after_by_its_moment(joined, clock):
    assert told() == []  # who has not canceled is told nothing
    clock.move(hours=1)
    joined.post("/portal/cancel/")
    nothing, charge, begun = told()
    assert nothing.startswith("Nothing was charged after they canceled on ")
    assert "€ 119.00 was charged on " in charge
    assert ", for the term from " in charge
    assert begun == "That term had begun before they canceled."

    Invoice.objects.update(paid_at=clock.now + timedelta(minutes=5))
    charge, after = told()
    assert "€ 119.00 was charged on " in charge
    assert after.startswith("That is after they canceled on ")


def test_what_was_given_back_is_told_too(joined, clock):
    joined.post("/portal/cancel/")
    Invoice.objects.get().payments.update(returned=2000)
    assert told()[1].endswith("€ 20.00 of it was given back.")


def test_among_the_money_stand_the_cancellation_and_what_went_back(joined, clock):
    clock.move(hours=1)
    joined.post("/portal/cancel/")
    Invoice.objects.get().payments.update(returned=2000)
    held = Membership.objects.get()
    told = {line.words: line.note for line in stories.of(held.member, group="money").lines}
    assert "Canceled: no further renewal." in told
    assert "A card was issued." not in told
    assert [note.replace("\u00a0", " ") for note in told.values() if note] == ["€ 20.00 given back"]
    page = clerks.at_desk(clerks.hired("viewer")).get(f"/console/members/{held.member.number}/").content.decode()
    assert page.replace("\u00a0", " ").count("€ 20.00 given back") == 2  # in the story, and among the latest invoices
