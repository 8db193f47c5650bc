"""What a clerk does to a membership, through the console's own pages: read what will happen, confirm exactly that."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from billing import gateway
from billing.emulator import faults
from billing.models import Customer, Invoice, Operation, Payment, Subscription
from membership import standing, stories
from membership.models import AuditEntry, Member, Membership, Message, Term
from tests.billing.conftest import (  # noqa: F401  # a member who really pays
    ada,
    fails,
    joined,
    live,
    on_sale,
    visitor,
    webhooks,
)
from tests.console import clerks

pytestmark = pytest.mark.django_db
REASON = "parcel came late"


class Desk:
    """A clerk at the page of the one member."""

    def __init__(self, role: str = "support") -> None:
        self.clerk = clerks.hired(role)
        self.client = clerks.at_desk(self.clerk)

    def at(self, act: str) -> str:
        return f"/console/members/{Member.objects.get().number}/{act}/"

    def look(self, act: str, **values):
        """The preview's lines, and what to send to confirm them."""
        return self.client.post(self.at(act), {"reason": REASON, "once": "0123abcd", **values})

    def confirm(self, page, **changed):
        text = page.content.decode()
        assert page.status_code == 200, page.status_code
        sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text)) | changed
        return self.client.post(page.request["PATH_INFO"], {k: html.unescape(v) for k, v in sent.items()})

    def do(self, act: str, **values):
        answer = self.confirm(self.look(act, **values))
        assert answer.status_code == 302, said(answer)
        return answer


def said(page) -> list[str]:
    found = re.search(r'<ul class="desk-preview">(.*?)</ul>', page.content.decode(), re.DOTALL)
    items = re.findall(r"<li>(.*?)</li>", found[1]) if found else []
    return [html.unescape(item).replace("\u00a0", " ") for item in items]


def membership() -> Membership:
    return Membership.objects.with_facts().get()


def now(clock) -> str:
    return standing.at(membership(), clock.now).value


@pytest.fixture
def desk(joined, clock):  # noqa: F811
    clock.move(days=1)
    return Desk()


class TestExtend:
    def test_is_told_in_days_and_money_before_it_is_done(self, desk):
        assert said(desk.look("extend", days="30")) == [
            "The last day moves from 2 March 2027 to 1 April 2027.",
            "The next charge of € 119 moves from 2 March 2027 to 1 April 2027.",
            "The member is told by mail.",
        ]
        assert Term.objects.count() == 1

    def test_gives_the_days_and_says_why_and_who(self, desk, clock):
        desk.do("extend", days="30")
        assert Term.objects.filter(source="complimentary").count() == 1
        assert {e.data["reason"] for e in AuditEntry.objects.filter(actor=desk.clerk.actor)} == {REASON}
        line = next(line for line in stories.of(Member.objects.get()).lines if "free of charge" in line.words)
        assert (line.who, line.reason) == ("Vik Rao", REASON)

    def test_sent_twice_gives_them_once(self, desk):
        page = desk.look("extend", days="30")
        assert desk.confirm(page).status_code == 302
        desk.confirm(page)
        assert Term.objects.filter(source="complimentary").count() == 1

    def test_what_changed_meanwhile_is_shown_anew(self, desk):
        page = desk.look("extend", days="30")
        desk.do("extend", days="5", once="another")
        again = desk.confirm(page)
        assert (again.status_code, said(again)[0]) == (409, "The last day moves from 7 March 2027 to 6 April 2027.")

    @pytest.mark.parametrize("days", ["0", "-3", "366", "many", ""])
    def test_days_that_are_none_are_asked_for_again(self, desk, days):
        assert desk.look("extend", days=days).status_code == 422
        assert Term.objects.count() == 1

    def test_needs_a_reason(self, desk):
        assert desk.look("extend", days="3", reason=" ").status_code == 422

    def test_a_mark_made_up_does_nothing(self, desk):
        assert desk.look("extend", days="3", confirmed="yes").status_code == 409
        assert Term.objects.count() == 1


def test_while_a_renewal_is_collected_no_date_is_promised_and_no_day_given(desk, fails):  # noqa: F811
    fails()
    page = desk.client.get(f"/console/members/{Member.objects.get().number}/").content.decode()
    assert ("being collected" in page, "/extend/" in page) == (True, False)
    assert said(desk.look("cancel"))[0] == "It ends now, because its renewal is unpaid."


class TestHold:
    def test_stops_it_and_lifts_it(self, desk, clock):
        assert said(desk.look("suspend"))[0] == "From now on no perk is given, and the card is not accepted."
        desk.do("suspend")
        assert now(clock) == "suspended"
        assert "The hold" not in str(said(desk.look("lift")))
        desk.do("lift")
        assert now(clock) == "current"

    def test_only_what_fits_is_offered(self, desk):
        page = desk.client.get(f"/console/members/{Member.objects.get().number}/").content.decode()
        assert ("/suspend/" in page, "/lift/" in page, "/resume/" in page) == (True, False, False)


class TestCancel:
    def test_says_in_money_what_is_not_charged_and_can_be_taken_back(self, desk, clock):
        assert said(desk.look("cancel")) == [
            "The renewal of € 119 on 2 March 2027 will not be charged.",
            "It goes on to its last day, 2 March 2027; until then this can be taken back.",
        ]
        desk.do("cancel")
        assert membership().canceled_at == clock.now
        assert said(desk.look("resume")) == ["It renews as before: € 119 is charged on 2 March 2027."]
        desk.do("resume")
        assert membership().canceled_at is None

    def test_twice_is_refused_in_words(self, desk):
        desk.do("cancel")
        assert desk.look("cancel").status_code == 409


class TestRefund:
    def test_goodwill_within_the_limit_goes_back(self, desk):
        page = desk.look("refund", basis="goodwill", amount="20")
        assert said(page) == [
            "Paid: € 119.00",
            "Goodwill: € 20.00",
            "The member gets back € 20.00, to the card that paid.",
            "The membership goes on as it is.",
        ]
        assert desk.confirm(page).status_code == 302
        assert Operation.objects.filter(kind="refund").count() == 1
        told = [line.words for line in stories.of(Member.objects.get(), group="money").lines]
        assert "A refund was decided (goodwill, the membership goes on)." in told

    def test_above_it_one_person_is_not_enough(self, desk):
        page = desk.look("refund", basis="goodwill", amount="50.01")
        assert said(page)[-1].startswith("This is above the limit for one person")
        assert desk.confirm(page).status_code == 302
        assert not Operation.objects.filter(kind="refund").exists()

    def test_a_change_of_mind_gives_all_back_and_ends_it(self, desk, clock):
        desk.do("refund", basis="cooling_off")
        assert now(clock) == "ended"
        assert Message.objects.filter(kind="refund").exists()

    @pytest.mark.parametrize("amount", ["", "0", "-1", "1.001", "1e9", "NaN"])
    def test_amounts_that_are_none_are_asked_for_again(self, desk, amount):
        answer = desk.look("refund", basis="goodwill", amount=amount)
        assert answer.status_code in (422, 409, 403)
        assert not Operation.objects.filter(kind="refund").exists()

    def test_asks_who_is_there_once_more(self, desk, clock):
        desk.client = clerks.logged_in(desk.clerk.user, clerks.PROVEN | {"at": 0})
        assert desk.client.get(desk.at("refund"))["Location"].startswith("/account/reauthenticate/")


def test_a_viewer_can_do_none_of_it(joined, clock):  # noqa: F811
    viewer = Desk("viewer")
    acts = ("extend", "suspend", "lift", "cancel", "resume", "refund")
    assert {viewer.look(act, days="3", basis="goodwill", amount="1").status_code for act in acts} == {403}
    assert now(clock) == "current"


class TestReadAgain:
    def test_says_that_nothing_differed(self, desk, clock):
        assert said(desk.look("read-again"))[1].startswith("Nothing is charged.")
        answer = desk.do("read-again")
        assert "Read anew: nothing differed." in desk.client.get(answer.url).content.decode()
        line = next(line for line in stories.of(Member.objects.get()).lines if line.words.startswith("Read anew"))
        assert (line.words, line.who, line.reason) == ("Read anew from Stripe: nothing differed.", "Vik Rao", REASON)

    def test_puts_right_what_differed_and_names_it(self, desk):
        number = Invoice.objects.get().number
        Invoice.objects.update(status="open", amount_paid=0)
        answer = desk.do("read-again")
        told = html.unescape(desk.client.get(answer.url).content.decode()).replace("\u00a0", " ")
        assert f"put right: {number}: open → paid; {number}, paid: € 0.00 → € 119.00." in told
        assert Invoice.objects.get().status == "paid"
        assert AuditEntry.objects.get(verb="read_again").data["reason"] == REASON

    @pytest.mark.parametrize("lost", ["cancellation", "payment"])
    def test_never_says_that_nothing_differed_where_it_repaired(self, desk, lost):
        if lost == "cancellation":
            Subscription.objects.update(cancel_at_period_end=True)
        else:
            Payment.objects.all().delete()
        answer = desk.do("read-again")
        told = html.unescape(desk.client.get(answer.url).content.decode())
        assert "nothing differed" not in told
        assert ("ends by itself: yes → no" if lost == "cancellation" else Payment.objects.get().stripe_id) in told

    def test_stripe_that_does_not_answer_is_said_and_nothing_is_written(self, desk):
        page = desk.look("read-again")
        with faults.next_call("GET /v1/invoices", lost="request", times=99):
            refused = desk.confirm(page)
        assert refused.status_code == 503
        assert "does not answer" in refused.content.decode()
        assert not AuditEntry.objects.filter(verb="read_again").exists()

    def test_reads_what_may_still_charge_of_an_earlier_stay_too_and_tells_each(self, desk):
        """An earlier stay, ended here, whose subscription still runs as far as we know; Stripe has it canceled."""
        stripe, newer = gateway.client().v1, Subscription.objects.get()
        price = stripe.subscriptions.retrieve(newer.stripe_id)["items"].data[0].price.id
        own = membership()
        earlier = Membership.objects.create(
            member=own.member, status="ended", plan=own.plan, currency=own.currency, time_zone=own.time_zone,
            reserved_at=own.reserved_at - timedelta(days=9), ended_at=own.reserved_at, end_reason="staff",
        )  # fmt: skip
        asked = {"customer": Customer.objects.get().stripe_id, "items": [{"price": price}]}
        made = stripe.subscriptions.create(
            asked | {"metadata": {"membership": str(earlier.pk)}, "payment_behavior": "default_incomplete"}
        )
        stripe.subscriptions.cancel(made.id)
        facts = {"status": "active", "read_at": newer.read_at, "membership": earlier}
        Subscription.objects.create(stripe_id=made.id, **facts)
        Subscription.objects.update(cancel_at_period_end=True)
        assert [line.split()[0] for line in said(desk.look("read-again"))[:2]] == [newer.stripe_id, made.id]
        told = html.unescape(desk.client.get(desk.do("read-again").url).content.decode())
        assert f"{newer.stripe_id}, put right: {newer.stripe_id}, ends by itself: yes → no." in told
        assert f"{made.id}, put right: {made.id}: active → canceled" in told
        audited = AuditEntry.objects.filter(verb="read_again").order_by("pk")
        assert [(a.subject, a.data["reason"]) for a in audited] == [
            (f"membership:{own.pk}", REASON), (f"membership:{earlier.pk}", REASON)
        ]  # fmt: skip
        assert [line.split()[0] for line in said(desk.look("read-again"))[:-1]] == [newer.stripe_id]

    def test_who_never_paid_at_stripe_is_not_offered_it(self, desk):
        Subscription.objects.all().delete()
        assert "Read anew" not in desk.client.get(f"/console/members/{Member.objects.get().number}/").content.decode()
