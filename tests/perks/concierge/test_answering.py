"""A clerk claims, answers, notes, closes and reopens; the queue, the ledger, the story and the audit follow."""

from __future__ import annotations

import re

import pytest

from membership import stories
from membership.models import AuditEntry, Message
from perks import ledger
from perks.console import queues
from perks.models import ConciergeRequest, Holiday, Redemption, WorkingHours
from perks.savings import ALWAYS, NEVER
from tests.billing.test_sweep_plans import plan
from tests.perks.concierge.conftest import Desk, plain
from tests.perks.redeeming import wrong

pytestmark = pytest.mark.django_db


def fresh(request: ConciergeRequest) -> ConciergeRequest:
    return ConciergeRequest.objects.get(pk=request.pk)


def said(page) -> list[str]:
    found = re.search(r'<ul class="desk-preview">(.*?)</ul>', plain(page), re.DOTALL)
    return re.findall(r"<li>(.*?)</li>", found[1]) if found else []


class TestQueue:
    def test_stands_by_when_an_answer_is_owed_in_words(self, ada, desk, clock):
        ada.ask("first")
        clock.move(hours=1)
        ada.ask("second")
        clock.move(hours=2, minutes=10)
        page = desk.page()
        assert page.index("first") < page.index("second")
        assert "urgent in 0 h 50 min of working time" in page
        assert "due in 1 h 50 min of working time" in page
        clock.move(hours=1, minutes=30)
        assert "overdue by 0 h 40 min" in desk.page()

    def test_working_hours_and_holidays_are_rows(self, ada, clock):
        WorkingHours.objects.create(weekday=0, opens=540, closes=720)  # Mondays, 09:00 to 12:00
        Holiday.objects.create(day="2026-03-09", name="Spring day")
        assert ada.ask().due_at.isoformat() == "2026-03-16T11:00:00+00:00"  # an hour now, three in two weeks

    def test_who_was_answered_waits_no_more(self, ada, desk):
        request = ada.ask()
        desk.answer(request)
        assert "answered, the member may write" in desk.page()
        ada.write(request, "Thank you, and the scarf?")
        assert fresh(request).due_at is not None

    def test_a_second_question_does_not_move_the_promise(self, ada, clock):
        request = ada.ask()
        clock.move(hours=1)
        ada.write(request, "In green, if there is one.")
        assert fresh(request).due_at == request.due_at


class TestToday:
    def test_counts_who_is_owed_an_answer(self, ada, desk, clock):
        request = ada.ask()
        desk.do(request, "claim")
        clock.move(hours=5)
        page = desk.page("/console/queues/concierge-due/")
        assert "A coat for Vienna" in page
        assert "overdue, in hand with Vik Rao" in page
        assert f"/console/concierge/{request.pk}/" in page
        desk.answer(request)
        assert "Everybody who asked has an answer." in desk.page("/console/queues/concierge-due/")

    def test_is_asked_of_its_index(self, db, clock):
        assert "requests_by_due_time" in plan(queues.due(clock.now)[:100])
        assert "requests_by_due_time" in plan(queues.due(clock.now).order_by()[:101])


class TestClaim:
    def test_is_in_one_pair_of_hands_and_can_be_put_back(self, ada, desk):
        request, other = ada.ask(), Desk(name="Mara Voss")
        assert desk.do(request, "claim").status_code == 302
        refused = other.do(request, "claim")
        assert (refused.status_code, "A colleague has this request in hand already." in plain(refused)) == (409, True)
        assert "Vik Rao" in other.page()
        other.do(request, "put-back")
        assert other.do(request, "claim").status_code == 302
        verbs = ["claim_request", "put_request_back", "claim_request"]
        assert (
            list(AuditEntry.objects.filter(verb__contains="request").order_by("pk").values_list("verb", flat=True))
            == verbs
        )


class TestAnswer:
    def test_reaches_the_member_in_the_portal_and_by_mail(self, ada, desk):
        request = ada.ask()
        desk.answer(request, "The green one is put aside.")
        page = ada.page(f"/portal/concierge/{request.ident}/")
        assert "The green one is put aside." in page
        assert "Vik Rao, Laurel & Co" in page
        mail = Message.objects.get(kind="concierge_answer")
        assert "The green one is put aside." in mail.text
        assert (mail.to, mail.reply_to) == (ada.member.user.email, f"club+{request.reply_token}@laurel.example")

    def test_sent_twice_is_told_once(self, ada, desk):
        request = ada.ask()
        assert {desk.answer(request).status_code for _ in range(2)} == {302}
        assert Message.objects.filter(kind="concierge_answer").count() == 1

    def test_to_a_closed_request_is_refused_and_kept_on_the_page(self, ada, desk):
        request = ada.ask()
        desk.close(request)
        refused = desk.answer(request, "too late")
        assert refused.status_code == 409

    def test_a_note_is_never_shown_to_the_member(self, ada, desk):
        request = ada.ask()
        desk.do(request, "note", **{"note-text": "She is a journalist."})
        assert "She is a journalist." in desk.page(f"/console/concierge/{request.pk}/")
        assert "journalist" not in ada.page(f"/portal/concierge/{request.ident}/")


class TestClose:
    def test_is_read_in_words_and_money_first(self, ada, desk):
        request = ada.ask()
        assert said(desk.look_at_closing(request)) == [
            "The request is closed, and the member is told by mail. Their answer within 30 days reopens it.",
            "The member still waits for an answer, and will get none.",
            "It counts as one request; 11 are left.",
            "In the ledger: worth € 40 to the member, cost € 12.50 to us.",
        ]
        assert fresh(request).closed_at is None

    def test_counts_once_with_its_worth_and_its_cost(self, ada, desk, clock):
        request = ada.ask()
        desk.answer(request)
        assert ledger.uses(member=ada.member, since=ALWAYS, until=NEVER) == []
        assert desk.close(request).status_code == 302
        (use,) = ledger.uses(member=ada.member, since=ALWAYS, until=NEVER)
        assert (use.perk, use.worth, use.cost, use.currency) == ("concierge", 4000, 1250, "EUR")
        assert "11 of 12 requests left" in ada.page()
        assert "€ 40.00" in ada.page("/portal/savings/")
        assert AuditEntry.objects.get(verb="close_request").data["reason"] == "done"
        assert wrong() == set()

    def test_that_counts_for_nothing_gives_the_request_back(self, ada, desk):
        request = ada.ask()
        desk.close(request, counts="no", words="asked twice")
        assert "12 of 12 requests left" in ada.page()
        assert Redemption.objects.get().status == "released"
        assert "It does not count against your requests." in ada.page(f"/portal/concierge/{request.ident}/")

    def test_after_a_reopening_counts_no_second_time(self, ada, desk):
        request = ada.ask()
        desk.close(request)
        assert ada.write(request, "The sleeve is too long.").status_code == 302
        assert (fresh(request).closed_at, fresh(request).due_at is not None) == (None, True)
        desk.answer(request)
        assert "It has counted once before" in said(desk.look_at_closing(request, worth="55"))[1]
        desk.close(request, worth="55")
        (use,) = ledger.uses(member=ada.member, since=ALWAYS, until=NEVER)
        assert use.worth == 5500
        assert "11 of 12 requests left" in ada.page()
        assert wrong() == set()

    def test_long_after_it_nothing_is_reopened(self, ada, desk, clock):
        request = ada.ask()
        desk.close(request)
        clock.move(days=31)
        answer = ada.client.post(f"/portal/concierge/{request.ident}/", {"text": "x", "once": "d" * 22})
        assert answer.status_code == 409
        assert fresh(request).closed_at is not None

    def test_by_staff_it_can_be_reopened_and_its_counting_taken_back(self, ada, desk):
        request = ada.ask()
        desk.close(request)
        assert desk.do(request, "reopen").status_code == 302
        desk.close(request, counts="no", words="our own mistake")
        assert ledger.uses(member=ada.member, since=ALWAYS, until=NEVER) == []
        assert "12 of 12 requests left" in ada.page()
        assert wrong() == set()

    @pytest.mark.parametrize("worth", ["-1", "12.345", "a lot"])
    def test_amounts_that_are_none_are_asked_for_again(self, ada, desk, worth):
        assert desk.look_at_closing(ada.ask(), worth=worth).status_code == 422


def test_the_story_tells_it_to_staff(ada, desk):
    request = ada.ask()
    desk.answer(request)
    desk.close(request, words="found in Antwerp")
    lines = stories.of(ada.member, group="perks").lines
    assert [line.words for line in lines] == [
        "The request “A coat for Vienna” was closed.",
        "The concierge answered “A coat for Vienna”.",
        "Asked the concierge: “A coat for Vienna”.",
    ]
    assert (lines[0].who, lines[0].reason, lines[0].worth) == ("Vik Rao", "found in Antwerp", [(4000, "EUR")])
    assert "A coat for Vienna" in desk.page(f"/console/members/{ada.member.number}/")


def test_a_viewer_reads_and_does_nothing(ada):
    request, viewer = ada.ask(), Desk("viewer")
    assert 'action="/console/concierge' not in viewer.page(f"/console/concierge/{request.pk}/")
    acts = ("claim", "put-back", "answer", "note", "close", "reopen")
    assert {viewer.do(request, act).status_code for act in acts} == {403}
