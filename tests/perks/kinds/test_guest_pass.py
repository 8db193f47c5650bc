"""Guest pass: each lets guests in once."""

import pytest

from perks import kinds

LOUNGE = {"opens": {"en": "Members’ lounge"}, "allowance": {"uses": 2, "every": "quarter"}}


def test_lets_a_guest_in_until_the_passes_are_used_and_anew_in_the_next_quarter(sold):
    perk = sold("guest_pass", LOUNGE)
    assert (perk.decision()["message"], perk.decision()["uses_left"]) == ("Members’ lounge: bring a guest.", 2)
    perk.use()
    perk.use()
    decision = perk.decision()
    assert (decision["reason"], decision["resets_at"]) == ("used_up", "2026-03-31T22:00:00Z")
    perk.clock.move(days=30)
    assert perk.decision()["uses_left"] == 2


def test_says_what_it_opens_and_for_how_many(sold):
    perk = sold("guest_pass", {**LOUNGE, "guests": 3})
    assert perk.decision()["message"] == "Members’ lounge: bring up to 3 guests."
    assert perk.portal()["words"] == "A pass for 3 guests: Members’ lounge, 2 times a quarter"


def test_must_be_counted():
    with pytest.raises(kinds.BadSettings, match="“How many passes” is missing"):
        kinds.check("guest_pass", {"opens": {"en": "Lounge"}})
