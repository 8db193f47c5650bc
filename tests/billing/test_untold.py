"""A renewal that nobody could be told of: its letter came back. Nothing is charged until that is seen to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing import gateway, untold
from billing.models import Payment, Subscription
from membership import bounces, standing
from membership.models import Membership, Message, Term
from tests.billing.conftest import mails, renews_at
from tests.console import clerks
from tests.console.test_today import confirm
from tests.invariants import breached_once_worked_off
from tests.membership.test_accounts import newest_code

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = timedelta(days=35)
A_CLERK = {"I19"}  # the colleague of this test has no second factor of their own


def own() -> Membership:
    return Membership.objects.with_facts().get()


def at_stripe() -> tuple[bool, list[str]]:
    """Whether Stripe keeps drafts, and the statuses of all invoices, oldest first."""
    stripe, name = gateway.client().v1, Subscription.objects.get().stripe_id
    invoices = gateway.read_all(stripe.invoices.list, {"subscription": name})[::-1]
    paused = gateway.read(stripe.subscriptions.retrieve, name).get("pause_collection")
    return bool(paused), [invoice["status"] for invoice in invoices]


def comes_back(clock, letter: Message) -> None:
    assert bounces.note(letter, "550 5.1.1", at=clock.now)


@pytest.fixture
def came_back(joined, live, clock) -> Message:
    """Ada's letter of 35 days before, which her mail server does not take."""
    live(renews_at() - BEFORE)
    (letter,) = mails("renewal_notice")
    comes_back(clock, letter)
    return letter


def see_to(letter: Message, what: str) -> None:
    desk = clerks.at_desk(clerks.hired("support"))
    confirm(desk, f"/console/waits/bounced/{letter.pk}/", what=what, reason="she is told", once="1")


class TestWhileItWaits:
    def test_nothing_is_charged_and_everybody_is_told(self, came_back, joined, live, clock):
        assert at_stripe() == (True, ["paid"])
        assert "Until we have reached you, nothing is charged." in joined.get("/portal/").content.decode()
        live(renews_at() + timedelta(days=2))
        assert at_stripe() == (True, ["paid", "draft"])
        assert (Payment.objects.count(), standing.at(own(), clock.now).value) == (1, "grace")
        page = joined.get("/mend-payment/").content.decode()
        assert "Until we have reached you, nothing is charged." in page
        assert "being collected" not in page
        desk = clerks.at_desk(clerks.hired("support"))
        page = desk.get(f"/console/members/{own().member.number}/").content.decode()
        assert "held: our letter about it came back" in page
        waits = desk.get(f"/console/waits/bounced/{came_back.pk}/").content.decode()
        assert "is held: it is charged as soon as this is seen to" in waits
        assert breached_once_worked_off() == set()

    def test_twin_unasked_letters_let_it_be_charged(self, joined, live, clock, monkeypatch):
        monkeypatch.setattr(untold, "letters", lambda membership: [])
        live(renews_at() - BEFORE)
        comes_back(clock, mails("renewal_notice")[0])
        live(renews_at() + timedelta(hours=2))
        assert Payment.objects.count() == 2

    def test_the_next_letter_is_sent_all_the_same(self, came_back, live):
        live(renews_at() - timedelta(days=7))
        assert len(mails("renewal_notice")) == 2
        assert at_stripe()[0]

    def test_grace_runs_out_and_it_ends_uncharged(self, came_back, live, clock):
        live(renews_at() + timedelta(days=2))
        over = standing.grace_until(own())
        live(over + timedelta(hours=1))
        assert (own().status, own().end_reason, Payment.objects.count()) == ("ended", "lapsed", 1)
        assert at_stripe()[1] == ["paid", "void"]
        assert Subscription.objects.get().status == "canceled"
        assert breached_once_worked_off() == set()

    def test_in_the_hour_before_the_charge_it_is_still_kept(self, joined, live, clock):
        live(renews_at() - BEFORE)
        live(renews_at() + timedelta(minutes=20))
        comes_back(clock, mails("renewal_notice")[0])
        live(renews_at() + timedelta(days=1))
        assert at_stripe() == (True, ["paid", "draft"])
        see_to(mails("renewal_notice")[0], "seen")
        live(renews_at() + timedelta(days=1, hours=2))
        assert at_stripe() == (False, ["paid", "paid"])


class TestOnceItIsSeenTo:
    def test_before_the_day_it_is_charged_on_the_day(self, came_back, live, clock):
        see_to(came_back, "again")
        assert at_stripe() == (False, ["paid"])
        live(renews_at() + timedelta(hours=2))
        assert (Payment.objects.count(), Term.objects.count()) == (2, 2)
        assert breached_once_worked_off() <= A_CLERK

    def test_after_the_day_what_was_kept_is_charged(self, came_back, live, clock):
        live(renews_at() + timedelta(days=2))
        see_to(came_back, "seen")
        live(renews_at() + timedelta(days=2, hours=2))
        assert at_stripe() == (False, ["paid", "paid"])
        assert (Term.objects.count(), standing.at(own(), clock.now).value) == (2, "current")
        assert breached_once_worked_off() <= A_CLERK

    def test_and_that_letter_comes_back_as_well_it_is_held_again(self, came_back, live, clock):
        see_to(came_back, "again")
        comes_back(clock, Message.objects.get(key__startswith="again:"))
        assert at_stripe()[0]

    def test_by_another_address_of_the_member_s_own(self, came_back, joined, live):
        joined.post("/account/email/", {"email": "countess@example.org", "action_add": ""})
        joined.post("/account/confirm-email/", {"code": newest_code("countess@example.org")})
        again = Message.objects.get(key__startswith="again:")
        assert (again.to, again.text) == ("countess@example.org", came_back.text)
        assert at_stripe()[0] is False
        live(renews_at() + timedelta(hours=2))
        assert Payment.objects.count() == 2


class TestWhatIsNoMatter:
    def test_a_letter_of_a_renewal_that_is_paid(self, joined, live, clock):
        live(renews_at() - BEFORE)
        live(renews_at() + timedelta(hours=2))
        comes_back(clock, mails("renewal_notice")[0])
        assert at_stripe() == (False, ["paid", "paid"])

    def test_another_letter(self, joined, live, clock):
        comes_back(clock, mails("welcome")[0])
        assert at_stripe() == (False, ["paid"])
