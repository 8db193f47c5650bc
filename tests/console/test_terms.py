"""Terms that staff add: given free of charge, or paid offline; what becomes of the charge at Stripe, and who may."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta

import pytest
from django.test import Client

from billing import extension, given, offline, running_out
from billing.models import LIVE, OfflinePayment, Subscription
from membership import standing, stories
from membership.models import AuditEntry, Member, Membership, Message, Price, Term
from tests import factories
from tests.billing.conftest import mails
from tests.billing.test_extension import charged_at_stripe
from tests.billing.test_races import at_once
from tests.console import clerks
from tests.console.test_membership_acts import Desk, membership, now, said
from tests.console.test_today import text
from tests.invariants import breached, breached_once_worked_off, without_constraint

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(joined, clock) -> Desk:
    clock.move(days=1)
    return Desk("billing")


@pytest.fixture
def stranger(on_sale, clock) -> Desk:
    """A clerk at the page of a person who never was a member."""
    factories.member("Bo Lind")
    return Desk("billing")


def plan(code: str) -> str:
    return str(Price.objects.filter(plan__code=code).values_list("plan", flat=True)[0])


def paid(code: str = "gold-year", **changed: str) -> dict[str, str]:
    price = Price.objects.get(plan__code=code, currency="EUR")
    return {"price": str(price.pk), "means": "counter", "reference": "k 17-4", "paid_on": "2026-03-01"} | changed


class TestComplimentaryTerm:
    def test_lets_the_running_subscription_wait(self, desk):
        shown = desk.look("give-term", plan=plan("silver-year"), months="12")
        assert said(shown) == [
            "Silver from 2 March 2027 to 2 March 2028, behind what they have.",
            "Until then they hold Gold.",
            "The next charge of € 119 moves from 2 March 2027 to 2 March 2028.",
            "The member is told by mail.",
        ]
        desk.confirm(shown)
        desk.confirm(shown)
        term = Term.objects.get(source="complimentary")
        assert (charged_at_stripe(), term.ends_at.isoformat()) == ("2028-03-02T10:00:00+00:00",) * 2
        (letter,) = mails("term_given")
        assert "Silver from 2 March 2027 to 2 March 2028" in letter.text
        assert "119.00 waits until 2 March 2028" in letter.text
        assert AuditEntry.objects.get(verb="give_term").data["reason"] == "parcel came late"
        assert breached_once_worked_off() == set()

    def test_begins_a_new_membership_that_ends_by_itself(self, stranger, clock):
        shown = stranger.look("give-term", plan=plan("gold-year"), months="3")
        assert said(shown)[1] == "Nothing is charged, and it ends by itself."
        stranger.confirm(shown)
        assert (now(clock), membership().renewal_expected, len(mails("welcome"))) == ("current", False, 1)
        assert not Subscription.objects.exists()
        assert breached_once_worked_off() == set()
        clock.move(days=93)
        running_out.see_out(at=clock.now)
        assert (now(clock), membership().status) == ("lapsed", "ended")

    def test_twin_longer_than_a_year_is_refused(self, desk):
        assert desk.look("give-term", plan=plan("gold-year"), months="13").status_code == 422
        desk.do("give-term", plan=plan("gold-year"), months="12", once="first")
        refused = desk.look("give-term", plan=plan("gold-year"), months="12")  # three years from today
        assert (refused.status_code, Term.objects.count()) == (409, 2)
        assert "two years from today at most" in text_of(refused)

    def test_is_refused_in_words_while_they_pay(self, visitor, clock):
        visitor.post("/checkout/gold-year/", {"agree": "on"})
        refused = Desk("billing").look("give-term", plan=plan("gold-year"), months="3")
        assert "A place is kept for them while they pay." in text_of(refused)

    def test_waits_while_a_renewal_is_collected(self, desk, fails):
        fails()
        assert "Its renewal is being collected." in text_of(desk.look("give-term", plan=plan("gold-year"), months="3"))

    def test_is_given_by_nobody_to_themselves_nor_by_who_may_not(self, desk):
        desk.clerk.user = Member.objects.get().user
        desk.clerk.save()
        desk.client = clerks.at_desk(desk.clerk)
        for act, facts in (("give-term", {"plan": plan("gold-year"), "months": "3"}), ("paid-offline", paid())):
            assert desk.look(act, **facts).status_code == 403
        support = Desk("support")
        assert support.look("give-term", plan=plan("gold-year"), months="3").status_code == 403
        assert Term.objects.count() == 1


def text_of(answer) -> str:
    answer.status_code, kept = 200, answer.status_code
    told = text(answer)
    answer.status_code = kept
    return told


class TestPaidOffline:
    def test_begins_a_membership_with_a_receipt_and_a_report_of_its_own(self, stranger, clock):
        shown = stranger.look("paid-offline", **paid())
        assert said(shown)[0].startswith("€ 119.00 of 1 March 2026, reference K17-4, is recorded for Bo Lind")
        stranger.confirm(shown)
        row = OfflinePayment.objects.get()
        assert (row.amount, row.currency, row.reference, row.term.source) == (11900, "EUR", "K17-4", "offline")
        assert (now(clock), membership().renewal_expected) == ("current", False)
        (letter,) = mails("receipt_offline")
        assert "Reference: K17-4\nAt the counter\nGold from 2 March 2026 to 2 March 2027" in letter.text
        told = [line for line in stories.of(row.member, group="money").lines if "offline" in line.words]
        assert [(line.reason, line.worth) for line in told] == [("parcel came late", [(11900, "EUR")])]
        assert "2026-03 EUR 1 € 119.00" in text(stranger.client.get("/console/health/offline/"))
        assert "119" not in text(stranger.client.get("/console/health/money/"))
        assert breached_once_worked_off() == set()
        found = stranger.client.get("/console/", {"q": "k17-4"})
        assert found["Location"] == f"/console/members/{row.member.number}/"
        theirs = Client()
        theirs.force_login(row.member.user, "allauth.account.auth_backends.AuthenticationBackend")
        invoices = text(theirs.get("/portal/invoices/"))
        assert "K17-4 At the counter Gold, 2 March 2026 to 2 March 2027 € 119.00" in invoices
        assert "At the counter € 119.00" in text(theirs.get("/portal/"))
        again = stranger.look("paid-offline", **paid(reference="K17-4"))
        assert "A payment with this reference is recorded already." in text_of(again)

    def test_follows_what_is_paid_once_the_renewal_is_canceled(self, desk, clock, live):
        refused = desk.look("paid-offline", **paid("silver-year"))
        assert "Cancel the membership first" in text_of(refused)
        desk.do("cancel")
        desk.do("paid-offline", **paid("silver-year"))
        live(membership().terms.first().ends_at + timedelta(days=3))
        held = membership()
        assert (now(clock), standing.tier_at(held, clock.now).code) == ("current", "silver")
        assert not Subscription.objects.filter(status__in=LIVE).exists()
        assert Message.objects.filter(kind="receipt").count() == 1  # nothing was charged again
        assert breached_once_worked_off() == {"I19"}  # the test's clerk, a year later, without a second factor

    @pytest.mark.parametrize("day", ["2026-03-04", "2025-11-01", "yesterday", ""])
    def test_a_day_that_cannot_be_is_refused(self, stranger, day):
        assert stranger.look("paid-offline", **paid(paid_on=day)).status_code == 422
        assert not Term.objects.exists()


class TestTwoClerksAtOnce:
    """Both have read the same dates, and neither has seen the other's."""

    GIVES = {
        "give-term": (given, "give", {"plan": "silver-year", "months": "6"}),
        "paid-offline": (offline, "record", {}),
        "extend": (extension, "extend", {"days": "30"}),
    }

    def _give(self, act: str, monkeypatch) -> list[int]:
        module, verb, facts = self.GIVES[act]
        asked = [{"once": f"once{n}"} | facts for n in (1, 2)]
        if act == "paid-offline":
            Subscription.objects.all().delete()
            Membership.objects.update(renewal_expected=False)
            factories.plan("bronze-month")
            asked = [one | paid("bronze-month", reference=one["once"]) for one in asked]
        for one in asked:
            one |= {"plan": plan(one["plan"])} if "plan" in one else {}
        desks = [Desk("billing"), Desk("manager")]
        shown = [desk.look(act, **one) for desk, one in zip(desks, asked, strict=True)]
        meeting, do = threading.Barrier(2), getattr(module, verb)

        def waits(**told):
            with contextlib.suppress(threading.BrokenBarrierError):
                meeting.wait(20)
            return do(**told)

        monkeypatch.setattr(module, verb, waits)
        sent = zip(desks, shown, strict=True)
        return sorted(one.status_code for one in at_once(*[lambda d=d, s=s: d.confirm(s) for d, s in sent]))

    @pytest.mark.parametrize("act", GIVES)
    def test_one_is_given_and_the_other_told(self, joined, clock, monkeypatch, act):
        clock.move(days=1)
        assert self._give(act, monkeypatch) == [302, 409]
        assert Term.objects.count() == 2

    @pytest.mark.parametrize("act", GIVES)
    def test_twin_that_does_not_look_gives_both(self, joined, clock, monkeypatch, act):
        clock.move(days=1)
        monkeypatch.setattr(extension, "refuse_moved", lambda seen, found: None)
        assert self._give(act, monkeypatch) == [302, 302]
        assert Term.objects.count() == 3


class TestOneReferenceAtOnce:
    def _record(self, monkeypatch, clock) -> list[object]:
        """Two clerks type the same receipt in for two members; neither has seen the other's."""
        monkeypatch.setattr(offline, "place", lambda **_: None)
        price = Price.objects.get(plan__code="gold-year", currency="EUR")
        facts = {"price": price, "means": "counter", "reference": "K17", "paid_on": clock.now.date(), "behind": None}
        facts["at"] = clock.now
        people = [factories.member("Ann"), factories.member("Bob")]
        return at_once(*[lambda m=m: offline.record(member=m, **facts, actor="staff:1") for m in people])

    def test_is_recorded_once(self, on_sale, clock, monkeypatch):
        results = self._record(monkeypatch, clock)
        assert sorted(type(one).__name__ for one in results) == ["OfflinePayment", "ReferenceTaken"]
        assert (Term.objects.count(), Membership.objects.count(), len(mails("receipt_offline"))) == (1, 1, 1)
        assert breached() == set()

    def test_twin_without_the_constraint_buys_two_terms(self, on_sale, clock, monkeypatch):
        with without_constraint(OfflinePayment, "one_offline_payment_per_reference"):
            self._record(monkeypatch, clock)
            assert Term.objects.count() == 2
