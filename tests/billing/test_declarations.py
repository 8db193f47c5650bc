"""Cancel and withdraw without a log-in: stored, receipted, and left to staff where nobody can place them."""

from __future__ import annotations

import io
import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing import declarations, tasks
from billing.models import Declaration, Payment
from membership.models import AuditEntry, Membership, Message
from tests import factories
from tests.billing.conftest import mails
from tests.billing.declaring import CANCEL, WITHDRAW, declare, mark, number, typed, work_it_off
from tests.billing.test_sweep_plans import plan
from tests.invariants import breached

pytestmark = pytest.mark.django_db(transaction=True)
Outcome = Declaration.Outcome


@pytest.fixture
def stranger() -> Client:
    """Somebody at a browser of their own, without an account."""
    return Client()


def text(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode().replace("\xa0", " "))


class TestTheForms:
    @pytest.mark.parametrize("path", [CANCEL, WITHDRAW])
    def test_are_open_to_everybody_and_linked_from_every_page(self, stranger, on_sale, path):
        assert stranger.get(path).status_code == 200
        assert f'href="{path}"' in text(stranger.get("/plans/"))

    def test_carry_the_words_of_the_law(self, stranger):
        german = {"headers": {"Accept-Language": "de"}}
        cancel, withdraw = text(stranger.get(CANCEL, **german)), text(stranger.get(WITHDRAW, **german))
        assert (">Verträge hier kündigen<" in withdraw, ">Jetzt kündigen<" in cancel) == (True, True)
        assert (">Vertrag widerrufen<" in cancel, ">Widerruf bestätigen<" in withdraw) == (True, True)

    def test_know_who_is_logged_in(self, joined):
        page = text(joined.get(CANCEL))
        assert 'value="ada@example.org"' in page
        assert f'value="{number()}"' in page

    def test_ask_for_a_reason_where_it_is_for_cause(self, stranger, on_sale):
        answer = declare(stranger, for_cause="for_cause")
        assert answer.status_code == 422
        assert "please say the reason" in text(answer)
        assert "Ada Lovelace" in text(answer)

    @pytest.mark.parametrize("day", ["2026-03-01", "2031-01-01", "soon"])
    def test_take_no_day_that_cannot_be_meant(self, stranger, on_sale, day):
        assert declare(stranger, wanted_on=day).status_code == 422
        assert not Declaration.objects.exists()

    def test_refuse_a_flood_and_say_that_nothing_arrived(self, stranger, on_sale, monkeypatch):
        monkeypatch.setattr("billing.views.declaring.PER_HOUR", 1)
        declare(stranger)
        answer = declare(stranger)
        assert answer.status_code == 429
        assert "Nothing has arrived" in text(answer)
        assert Declaration.objects.count() == 1


class TestTheArrival:
    def test_is_stored_whatever_happens_next(self, stranger, on_sale, monkeypatch):
        def dies(*args, **kwargs):
            raise RuntimeError("the process dies here")

        monkeypatch.setattr("billing.declaration_letters.receipt", dies)
        with pytest.raises(RuntimeError):
            declare(stranger)
        assert Declaration.objects.get().arrived_at == factories.moment("2026-03-02T10:00")
        monkeypatch.undo()
        work_it_off()
        assert len(mails("declaration_receipt")) == 1

    def test_is_confirmed_at_once_on_the_page_and_by_mail(self, stranger, on_sale):
        page = declare(stranger, wanted_on="2027-03-31", contact="Ada@work.example", number="12 34")
        for words in (text(stranger.get(page["Location"])), mails("declaration_receipt")[0].text):
            for fact in ("Ordinary cancellation", "31 March 2027", "2 March 2026, 11:00", "CET", "12 34"):
                assert fact in words
        assert mails("declaration_receipt")[0].to == "Ada@work.example"

    def test_can_be_kept_as_a_text(self, stranger, on_sale):
        page = declare(stranger, for_cause="for_cause", reason="You <moved> & closed")["Location"]
        kept = stranger.get(f"{page}text/")
        assert kept["Content-Disposition"].startswith("attachment")
        assert "Reason: You <moved> & closed" in kept.content.decode()
        assert "“Cancel now”" in kept.content.decode()

    def test_sent_twice_from_one_page_is_one(self, stranger, on_sale):
        words = typed(mark=mark(stranger))
        pages = {stranger.post(CANCEL, words)["Location"] for _ in range(2)}
        assert (len(pages), Declaration.objects.count(), Message.objects.count()) == (1, 1, 1)

    def test_corrected_on_the_same_page_is_another(self, stranger, on_sale):
        words = typed(mark=mark(stranger))
        stranger.post(CANCEL, words)
        stranger.post(CANCEL, words | {"email": "ada.l@example.org"})
        assert Declaration.objects.count() == 2

    def test_fills_nobodys_mailbox(self, on_sale, monkeypatch):
        monkeypatch.setattr("billing.declaration_letters.RECEIPTS_PER_DAY", 2)
        for _ in range(3):
            declare(Client())
        assert (Declaration.objects.count(), len(mails("declaration_receipt"))) == (3, 2)

    def test_receipt_is_nobody_elses_to_find(self, stranger, on_sale):
        assert stranger.get("/declarations/0123456789abcdef0123456789abcdef/").status_code == 404


class TestWhoeverAsks:
    def test_cannot_tell_a_known_address_from_an_unknown_one(self, joined, stranger):
        """Page, status and the work done before the answer are the same; only the words that were typed differ."""
        declare(stranger, email="first@example.org", number="1111111111")  # a network's first one is counted anew
        seen = []
        for email, given in (("ada@example.org", number()), ("nobody@example.org", "1234567890")):
            words = typed(mark=mark(stranger), email=email, number=given)
            with CaptureQueriesContext(connection) as asked:
                answer = stranger.post(CANCEL, words)
            page = text(stranger.get(answer["Location"])).replace(email, "E").replace(given, "N")
            tables = [query["sql"].split("WHERE")[0].split("VALUES")[0] for query in asked.captured_queries]
            seen.append((answer.status_code, tables, re.sub(r"[0-9a-zA-Z]{32,}|[0-9A-F]{8}<", "R", page)))
        assert seen[0] == seen[1]
        assert not any("membership_user" in table or "membership_member" in table for table in seen[0][1])

    def test_is_told_no_more_once_it_was_carried_out(self, joined, stranger):
        page = declare(stranger, number=number())["Location"]
        before = re.sub(r"[0-9a-zA-Z]{64}", "", text(stranger.get(page)))  # but for the form of the languages
        work_it_off()
        assert re.sub(r"[0-9a-zA-Z]{64}", "", text(stranger.get(page))) == before


class TestWhatNobodyCanPlace:
    def test_waits_for_staff_receipted(self, stranger, on_sale):
        declare(stranger, email="nobody@example.org")
        row = work_it_off()
        assert row.parked_reason == "no account has this address"
        assert len(mails("declaration_receipt")) == 1
        assert breached() == set()

    @pytest.mark.parametrize("given", ["", "1234567890"])
    def test_with_a_known_address_is_asked_there_and_changes_nothing(self, joined, stranger, given):
        declare(stranger, number=given, contact="somebody@example.org")
        work_it_off()
        (asked,) = mails("declaration_question")
        assert asked.to == "ada@example.org"
        assert Membership.objects.get().renewal_expected

    @pytest.mark.parametrize(("path", "outcome"), [(CANCEL, Outcome.CANCELED), (WITHDRAW, Outcome.WITHDRAWN)])
    def test_is_carried_out_when_the_accounts_mailbox_says_so(self, joined, stranger, path, outcome):
        declare(stranger, path)
        work_it_off()
        link = re.search(r"http://[^/]+(/declarations/confirm/\S+)", mails("declaration_question")[0].text)[1]
        stranger.get(link)  # a scanner of mails follows it
        assert work_it_off().outcome == ""
        for _ in range(2):
            assert "Thank you" in text(stranger.post(link))
        assert work_it_off().outcome == outcome

    def test_asks_an_account_no_more_than_a_few_times_a_day(self, joined, stranger, monkeypatch):
        monkeypatch.setattr("billing.declaration_letters.QUESTIONS_PER_DAY", 1)
        for _ in range(2):
            declare(stranger)
            work_it_off()
        assert len(mails("declaration_question")) == 1

    def test_is_not_confirmed_by_a_made_up_link(self, stranger, on_sale):
        assert stranger.post("/declarations/confirm/1:abc/").status_code == 404


class TestStaff:
    def told(self, *args: str) -> str:
        out = io.StringIO()
        call_command("declarations", *args, stdout=out)
        return out.getvalue()

    def test_see_what_waits_and_why(self, stranger, on_sale):
        assert "Nothing waits." in self.told()
        declare(stranger, email="nobody@example.org", number="77")
        row = work_it_off()
        shown = self.told()
        for words in (row.reference, "Ada Lovelace <nobody@example.org> 77", "no account has this address"):
            assert words in shown

    def test_say_whose_it_is_and_it_is_carried_out_as_of_its_arrival(self, joined, stranger, clock):
        declare(stranger, WITHDRAW, email="nobody@example.org")
        row = work_it_off()
        clock.move(days=30)
        shown = self.told(row.reference, "--assign", number(), "--reason", "wrote from her new address")
        assert "closed: withdrawn" in shown
        assert Payment.objects.get().returned == 11900
        assert AuditEntry.objects.get(verb="declaration.assign").data["reason"] == "wrote from her new address"

    def test_close_what_is_dealt_with(self, stranger, on_sale):
        declare(stranger, email="nobody@example.org")
        row = work_it_off()
        self.told(row.reference, "--close", "--reason", "not ours")
        row.refresh_from_db()
        assert (row.outcome, row.note, declarations.for_staff().exists()) == (Outcome.STAFF, "not ours", False)
        with pytest.raises(CommandError):
            self.told(row.reference, "--close", "--reason", "not ours")

    def test_give_a_reason_for_each_act(self, stranger, on_sale):
        declare(stranger, email="nobody@example.org")
        with pytest.raises(CommandError, match="reason"):
            self.told(work_it_off().reference, "--close")


class TestRetention:
    def test_deletes_what_was_closed_three_years_ago_and_never_what_is_open(self, stranger, on_sale, clock):
        declare(stranger, email="nobody@example.org")
        closed = work_it_off()
        declarations.close(closed, actor="staff:1", reason="not ours", at=clock.now)
        declare(Client(), email="somebody@example.org")
        still_open = work_it_off()
        clock.move(days=3 * 365)
        tasks.forget_declarations()
        assert Declaration.objects.count() == 2
        clock.move(days=2)
        tasks.forget_declarations()
        assert Declaration.objects.get() == still_open
        assert "declarations_to_forget" in plan(declarations.too_old(at=clock.now)[:500])
