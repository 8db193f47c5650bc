"""Free days and holds given by staff: the dates, the charge at Stripe, and both again after a lost answer."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from billing import gateway, janitor, running_out
from billing.emulator import faults
from billing.models import Invoice, Operation, Subscription
from membership import standing
from membership.models import AuditEntry, Membership, Status, Term
from membership.standing import Standing
from tests import factories
from tests.billing.conftest import mails
from tests.invariants import breached_once_worked_off

pytestmark = pytest.mark.django_db(transaction=True)


def staff(verb: str, *words: str) -> str:
    """manage.py membership VERB NUMBER ... -> what it said"""
    out = io.StringIO()
    number = Membership.objects.latest("pk").member.number
    call_command("membership", verb, number, *words, stdout=out)
    return out.getvalue()


def at_stripe():
    return gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id)


def charged_at_stripe() -> str:
    return gateway.moment(at_stripe()["items"].data[0].current_period_end).isoformat()


def last_end() -> str:
    return Term.objects.latest("starts_at").ends_at.isoformat()


class TestExtending:
    def test_shows_the_dates_first_and_does_nothing(self, joined):
        said = staff("extend", "30", "--reason", "late parcel")
        assert "next renewal    2027-03-02 10:00 UTC -> 2027-04-01 10:00 UTC" in said
        assert "Nothing is done yet." in said
        assert Term.objects.count() == 1

    def test_gives_the_days_and_moves_the_charge(self, joined):
        said = staff("extend", "30", "--reason", "late parcel", "--yes")
        assert "charged 2027-04-01 10:00 UTC" in said
        assert "Stripe has not confirmed" not in said
        assert charged_at_stripe() == last_end() == "2027-04-01T10:00:00+00:00"
        assert AuditEntry.objects.get(verb="extend").data["reason"] == "late parcel"
        (letter,) = mails("membership_extended")
        assert "valid until 1 April 2027" in letter.text
        assert "Your next payment of €\u00a0119.00 waits until 1 April 2027." in letter.text

    def test_twice_with_the_same_words_gives_once(self, joined):
        for _turn in range(2):
            staff("extend", "30", "--reason", "late parcel", "--yes")
        assert Term.objects.count() == 2
        assert len(mails("membership_extended")) == 1

    def test_that_stripe_did_not_confirm_is_confirmed_by_the_janitor(self, joined, clock):
        with faults.next_call("POST /v1/subscriptions/{id}", lost="request", times=9):
            said = staff("extend", "30", "--reason", "late parcel", "--yes")
        assert "Stripe has not confirmed 1 change(s) yet" in said
        clock.move(minutes=6)
        janitor.look_after(at=clock.now)
        assert charged_at_stripe() == last_end()

    def test_two_at_once_end_at_the_later_charge_however_they_are_confirmed(self, joined, clock):
        with faults.next_call("POST /v1/subscriptions/{id}", lost="request", times=9):
            staff("extend", "30", "--reason", "late parcel", "--yes")
        staff("extend", "10", "--reason", "another", "--yes")
        clock.move(minutes=6)
        janitor.look_after(at=clock.now)
        assert charged_at_stripe() == last_end() == "2027-04-11T10:00:00+00:00"

    def test_is_followed_by_the_paid_year_that_waited(self, joined, clock, webhooks):
        staff("extend", "30", "--reason", "late parcel", "--yes")
        clock.move_to(factories.moment("2027-04-01T12:00"))
        webhooks("shuffled", 3)
        term = Term.objects.latest("starts_at")
        assert (term.source, term.starts_at) == ("paid", factories.moment("2027-04-01T10:00"))
        assert term.ends_at == factories.moment("2028-04-01T10:00")
        assert charged_at_stripe() == last_end()
        assert breached_once_worked_off() == set()

    def test_of_a_canceled_membership_gives_the_days_and_charges_nobody(self, joined, clock, webhooks):
        joined.post("/portal/cancel/")
        assert "next renewal    none" in staff("extend", "30", "--reason", "late parcel", "--yes")
        clock.move_to(factories.moment("2027-03-20T10:00"))
        webhooks()
        running_out.see_out(at=clock.now)
        membership = Membership.objects.with_facts().get()
        assert standing.at(membership, clock.now) == Standing.CURRENT
        assert Invoice.objects.count() == 1

    def test_and_then_staying_moves_the_charge_too(self, joined):
        joined.post("/portal/cancel/")
        staff("extend", "30", "--reason", "late parcel", "--yes")
        joined.post("/portal/stay/")
        assert charged_at_stripe() == last_end() == "2027-04-01T10:00:00+00:00"

    def test_goes_no_farther_than_stripe_can(self, joined):
        with pytest.raises(CommandError, match="two years"):
            staff("extend", "400", "--reason", "generous", "--yes")

    def test_waits_while_a_renewal_is_collected(self, joined, clock):
        clock.move_to(factories.moment("2027-03-02T10:30"))
        with pytest.raises(CommandError, match="being collected"):
            staff("extend", "30", "--reason", "late parcel", "--yes")


class TestHolding:
    def test_stops_the_perks_at_once_and_the_collection_at_stripe(self, joined, clock):
        said = staff("suspend", "--reason", "asks for proof")
        assert "suspended" in said
        assert at_stripe().pause_collection.behavior == "keep_as_draft"
        assert standing.at(Membership.objects.with_facts().get(), clock.now) == Standing.SUSPENDED
        assert AuditEntry.objects.get(verb="suspend_because").data == {"reason": "asks for proof"}

    def test_and_lifting_is_both_again(self, joined, clock):
        staff("suspend", "--reason", "asks for proof")
        clock.move(days=1)
        assert "Lifted." in staff("lift", "--reason", "proof received")
        assert at_stripe().pause_collection is None
        assert Membership.objects.get().status == Status.ACTIVE
        assert "nothing was done" in staff("lift", "--reason", "again")

    def test_a_second_time_holds_again(self, joined, clock):
        for _turn in range(2):
            staff("suspend", "--reason", "asks for proof")
            staff("suspend", "--reason", "asks for proof")
            assert at_stripe().pause_collection
            clock.move(days=1)
            staff("lift", "--reason", "proof received")
        assert at_stripe().pause_collection is None
        assert Membership.objects.get().stops.count() == 2

    def test_that_stripe_did_not_hear_is_told_by_the_janitor(self, joined, clock):
        with faults.next_call("POST /v1/subscriptions/{id}", lost="request", times=9):
            assert "Stripe has not confirmed 1" in staff("suspend", "--reason", "asks for proof")
        assert not at_stripe().pause_collection
        clock.move(minutes=6)
        janitor.look_after(at=clock.now)
        assert at_stripe().pause_collection
        assert Operation.objects.filter(kind="align", state="done").count() == 1

    def test_over_a_renewal_keeps_it_a_draft_and_collects_it_when_lifted(self, joined, clock, webhooks):
        staff("suspend", "--reason", "asks for proof")
        clock.move_to(factories.moment("2027-03-04T10:00"))
        webhooks()
        assert Term.objects.count() == 1
        staff("lift", "--reason", "proof received")
        clock.move(hours=2)
        webhooks()
        assert Term.objects.count() == 2
        assert Membership.objects.get().status == Status.ACTIVE
        assert breached_once_worked_off() == set()
