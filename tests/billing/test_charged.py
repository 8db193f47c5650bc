"""“I was charged after I canceled”: the console says what is so, in sentences to be read out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.console.charged import since_canceling
from billing.models import Invoice
from membership.models import Membership

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
