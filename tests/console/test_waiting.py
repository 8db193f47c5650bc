"""Mails that came back, differences to Stripe, work that is stuck: each waits on Today's page until a person tries it
again or says why it need not wait."""

from __future__ import annotations

import io
import smtplib
import sys
from datetime import timedelta

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import call_command
from django.test import Client

from billing import reconcile
from billing.models import Notice, Operation, ReconcileFinding, ReconcileRun, StripeEvent
from membership import bounces, messages, stories, work
from membership.models import AuditEntry, IncomingMail, Message
from perks import first_access
from perks.models import FirstAccess, Sale
from tests import factories
from tests.console import clerks
from tests.console.bounced import report
from tests.console.test_today import confirm, counts, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(clock) -> Client:
    return clerks.at_desk(clerks.hired("support"))


@pytest.fixture
def mail(clock) -> Message:
    """A letter that was sent to a member, as far as we knew."""
    member = factories.member()
    kind = {"kind": "renewal_notice", "to": member.user.email, "subject": "Your renewal", "text": "It renews."}
    return Message.objects.create(
        key="a", member=member, language="en", written_at=clock.now, due_at=clock.now, done_at=clock.now, **kind
    )


def refuse(monkeypatch, code: int, words: bytes) -> None:
    def send(self, mails):
        raise smtplib.SMTPRecipientsRefused({mails[0].to[0]: (code, words)})

    monkeypatch.setattr(EmailBackend, "send_messages", send)


def send(message: Message, clock) -> Message:
    Message.objects.filter(pk=message.pk).update(done_at=None)
    work.run_one(Message.objects.all(), message.pk, messages.send, at=clock.now)
    message.refresh_from_db()
    return message


def brought(monkeypatch, mail: Message, **changed: str) -> str:
    """A report about the mail, piped in by the mail server. -> what came of it."""
    raw = report(**{"to": mail.to, "message_id": bounces.message_id(mail.pk)} | changed)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw.encode())))
    out = io.StringIO()
    call_command("receive_mail", stdout=out)
    return out.getvalue().strip()


class TestMailsThatCameBack:
    def test_the_mail_server_refuses_for_good(self, mail, clock, monkeypatch, desk):
        refuse(monkeypatch, 550, b"5.1.1 <person1@example.org>: no such user")
        sent = send(mail, clock)
        assert (sent.bounced_at, sent.bounce_said) == (clock.now, "550 5.1.1")
        assert (sent.done_at, sent.parked_reason) == (None, "the mail server refused it: 550 5.1.1")
        assert (counts(desk)["bounced"], counts(desk)["stuck"]) == ("1", "0")
        clock.move(hours=3)
        assert counts(desk)["stuck"] == "0"  # it waits in one queue only
        assert "there is no such mailbox (550 5.1.1)" in text(desk.get("/console/queues/bounced/"))

    def test_twin_a_server_that_is_busy_is_asked_again(self, mail, clock, monkeypatch):
        refuse(monkeypatch, 451, b"4.3.0 try later")
        sent = send(mail, clock)
        assert (sent.bounced_at, sent.parked_reason, sent.due_at > clock.now) == (None, "", True)

    @pytest.mark.parametrize("returned", ["text/rfc822-headers", "message/rfc822"])
    def test_a_report_says_so_later_and_counts_once(self, mail, monkeypatch, returned, desk):
        assert brought(monkeypatch, mail, returned=returned) == "taken"
        assert brought(monkeypatch, mail, returned=returned) == "taken"
        mail.refresh_from_db()
        assert (mail.bounce_said, IncomingMail.objects.count(), counts(desk)["bounced"]) == ("5.1.1", 1, "1")
        assert stories.of(mail.member).lines[0].note == "Mail, came back"

    def test_a_report_is_believed_only_about_our_own_letter(self, mail, monkeypatch):
        assert brought(monkeypatch, mail, message_id="<message-1@elsewhere.example>") == "not_ours"
        assert brought(monkeypatch, mail, to="eve@example.org", number="2") == "not_ours"
        assert brought(monkeypatch, mail, message_id=f"<message-{10**17}@localhost>", number="3") == "not_ours"
        assert brought(monkeypatch, mail, action="delayed", status="4.4.1", number="4") == "taken"
        mail.refresh_from_db()
        assert mail.bounced_at is None

    def test_is_sent_once_more_to_the_address_of_today(self, mail, monkeypatch, desk):
        brought(monkeypatch, mail)
        type(mail.member.user).objects.filter(pk=mail.member.user_id).update(email="new@example.org")
        page = f"/console/waits/bounced/{mail.pk}/"
        assert "The account's address is new@example.org now." in text(desk.get(page)).replace("&#x27;", "'")
        said = {"what": "again", "reason": "she gave another address", "once": "1"}
        confirm(desk, page, **said)
        assert Message.objects.latest("pk").to == "new@example.org"
        assert counts(desk)["bounced"] == "0"
        assert desk.post(page, said).status_code == 409
        assert Message.objects.count() == 2

    def test_is_seen_to_with_a_reason_that_colleagues_read(self, mail, monkeypatch, desk, clock):
        brought(monkeypatch, mail)
        confirm(desk, f"/console/waits/bounced/{mail.pk}/", what="seen", reason="she is told by phone", once="1")
        mail.refresh_from_db()
        assert (mail.seen_at, counts(desk)["bounced"]) == (clock.now, "0")
        line = next(line for line in stories.of(mail.member).lines if line.who == "Vik Rao")
        assert line.reason == "she is told by phone"

    def test_a_code_is_never_shown_nor_sent_again(self, mail, monkeypatch, desk):
        Message.objects.update(kind="account_login_code", subject="Code 123456")
        brought(monkeypatch, mail)
        page = f"/console/waits/bounced/{mail.pk}/"
        shown = text(desk.get("/console/queues/bounced/")) + text(desk.get(page))
        assert ("123456" in shown, 'value="again"' in desk.get(page).content.decode()) == (False, False)
        assert desk.post(page, {"what": "again", "reason": "x", "once": "1"}).status_code == 422


def found(run: ReconcileRun, member, outcome: str, said: str = "status", name: str = "sub_1") -> None:
    reconcile._keep(run, {"id": name, "customer": "cus_1"}, outcome, said)
    ReconcileFinding.objects.filter(run=run, object_id=name).update(member=member)


class TestDifferences:
    def test_wait_until_somebody_has_looked(self, desk, clock):
        member = factories.member()
        for night in range(3):  # one object that differs each night waits once, as it is now
            run = reconcile.begin(since=None, at=clock.now)
            run.walk = "subscriptions"
            found(run, member, "raised" if night else "repaired", f"night {night}")
            found(run, None, "failed", name="sub_2")
        assert counts(desk)["drift"] == "1"
        page = text(desk.get("/console/queues/drift/"))
        assert "sub_1 could not be mended. night 2" in page
        row = ReconcileFinding.objects.get(waits=True)
        confirm(desk, f"/console/waits/finding/{row.pk}/", what="seen", reason="set right at Stripe", once="1")
        row.refresh_from_db()
        assert (row.waits, row.seen_at, counts(desk)["drift"]) == (False, clock.now, "0")
        assert stories.of(member).lines[0].reason == "set right at Stripe"
        assert (
            desk.post(f"/console/waits/finding/{row.pk}/", {"what": "seen", "reason": "x", "once": "2"}).status_code
            == 409
        )

    def test_of_long_ago_stay_in_the_story_only(self, desk, clock):
        found(reconcile.begin(since=None, at=clock.now), factories.member(), "repaired")
        clock.move(days=31)
        assert counts(desk)["drift"] == "0"


class TestWorkThatIsStuck:
    def test_waits_an_hour_before_it_is_anybodys(self, desk, clock, on_sale):
        at, member = clock.now, factories.member()
        mail = Message.objects.create(key="b", kind="receipt", member=member, to="a@example.org", language="en",
                                      subject="A receipt", text="Paid.", written_at=at, due_at=at)  # fmt: skip
        event = StripeEvent.objects.create(stripe_id="evt_1", type="invoice.paid", object_id="in_gone", due_at=at,
                                           payload={"data": {"object": {}}}, received_at=at)  # fmt: skip
        Operation.objects.create(key="x#1", kind="refund", member=member, state="parked", error="silent", asked_at=at)
        assert counts(desk)["stuck"] == "1"
        clock.move(minutes=61)
        assert counts(desk)["stuck"] == "3"
        page = text(desk.get("/console/queues/stuck/"))
        assert "Nobody has tried it: a worker may be down." in page
        assert "Asked of Stripe, and never answered: refund silent" in page
        again = {"what": "again", "reason": "the server is back", "once": "1"}
        confirm(desk, f"/console/waits/mail/{mail.pk}/", **again)
        answer = confirm(desk, f"/console/waits/event/{event.pk}/", **again)
        assert "in_gone is not there at Stripe" in text(desk.get(answer["Location"]))
        event.refresh_from_db()
        assert (Message.objects.get(key="b").done_at, event.done_at) == (clock.now, None)
        assert counts(desk)["stuck"] == "2"
        assert AuditEntry.objects.filter(verb="try_again", data__reason="the server is back").count() == 2
        confirm(desk, f"/console/waits/event/{event.pk}/", what="seen", reason="made by a test", once="2")
        assert (counts(desk)["stuck"], AuditEntry.objects.get(verb="stuck.seen_to").subject) == (
            "1",
            f"event:{event.pk}",
        )

    def test_what_never_waited_is_not_there(self, desk, mail):
        assert desk.get(f"/console/waits/mail/{mail.pk}/").status_code == 404
        assert desk.get("/console/waits/unheard/1/").status_code == 404
        assert Notice.objects.count() == 0

    def test_whoever_was_not_told_of_a_sale_is_told_or_seen_to(self, desk, clock, monkeypatch):
        opens_at = clock.now + timedelta(days=3)
        dates = {"opens_at": opens_at, "closes_at": opens_at + timedelta(days=9)}
        sale = Sale.objects.create(code="spring", names={"en": "Spring sale"}, published=True, **dates)
        member = factories.member()
        row = FirstAccess.objects.create(sale=sale, member=member, due_at=clock.now, parked_reason="tried too often")
        clock.move(minutes=61)
        assert counts(desk)["stuck"] == "1"
        page = text(desk.get("/console/queues/stuck/"))
        assert "To be told that a sale opens early for them: Spring sale tried too often" in page
        at = f"/console/waits/first-access/{row.pk}/"
        monkeypatch.setattr(first_access, "_opens_for", lambda *_: clock.now)
        confirm(desk, at, what="again", reason="the template is mended", once="1")
        row.refresh_from_db()
        assert (row.done_at, row.letter.kind, counts(desk)["stuck"]) == (clock.now, "first_access", "0")
        other = FirstAccess.objects.create(sale=sale, member=factories.member(), due_at=clock.now - timedelta(hours=2))
        assert counts(desk)["stuck"] == "1"
        confirm(desk, f"/console/waits/first-access/{other.pk}/", what="seen", reason="told by phone", once="2")
        other.refresh_from_db()
        assert (other.seen_at, counts(desk)["stuck"]) == (clock.now, "0")
        assert stories.of(other.member).lines[0].reason == "told by phone"
