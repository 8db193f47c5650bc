"""Free days beside all else that is planned: the plan held, the notice sent, what Stripe takes, a better plan."""

from __future__ import annotations

import html
import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from billing import tasks
from billing.models import Notice
from membership.models import AuditEntry, Membership, Term
from tests.billing.conftest import mails

pytestmark = pytest.mark.django_db(transaction=True)


def give(days: int) -> None:
    number = Membership.objects.get().member.number
    call_command("membership", "extend", number, str(days), "--reason", "late parcel", "--yes", stdout=io.StringIO())


def test_are_given_in_the_plan_that_is_held_though_the_renewal_buys_less(joined):
    joined.post("/portal/change-plan/bronze-year/")
    give(30)
    assert Term.objects.latest("starts_at").plan.code == "gold-year"
    assert Membership.objects.get().plan.code == "bronze-year"


def test_given_in_the_last_week_have_the_day_of_the_charge_told_anew(joined, clock):
    clock.move_to(Term.objects.get().ends_at - timedelta(days=7))
    tasks.send_notices()
    clock.move(days=4)
    give(3)
    tasks.send_notices()
    first, again = sorted(mails("renewal_notice"), key=lambda m: m.pk)
    assert "2 March 2027" in first.subject
    assert "5 March 2027" in again.text
    assert Notice.objects.get(step="T-7", issue=2).announced["day"] == "2027-03-05"


def test_are_not_given_where_stripe_would_charge_in_them_all_the_same(joined, live, settings):
    """In the second year, if its limit of two years counts from the anchor, as its types can be read."""
    settings.LOCAL_STRIPE = {**settings.LOCAL_STRIPE, "TRIAL_LIMIT_FROM": "anchor"}
    live(Term.objects.get().ends_at + timedelta(days=1))
    with pytest.raises(CommandError, match="Give fewer days"):
        give(30)
    assert Term.objects.count() == 2
    assert mails("membership_extended") == []


def test_let_a_better_plan_begin_with_the_next_payment_and_say_when(joined):
    assert "Free days" not in joined.get("/portal/change-plan/").content.decode()
    give(30)
    page = html.unescape(joined.get("/portal/change-plan/").content.decode())
    assert "nothing can be charged before your next payment on 1 April 2027" in page


def test_and_a_cancellation_by_staff_keeps_its_reason_in_the_row_of_the_change(joined):
    number = Membership.objects.get().member.number
    call_command("membership", "cancel", number, "--reason", "asked by letter", "--yes", stdout=io.StringIO())
    assert AuditEntry.objects.get(verb="cancel").data["reason"] == "asked by letter"
