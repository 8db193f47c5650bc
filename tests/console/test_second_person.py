"""A refund above the limit: asked by one clerk, given once by another, or by nobody."""

from __future__ import annotations

import re

import pytest
from django.db import IntegrityError

from billing import approvals, gateway, refund_quotes, refunds
from billing.models import AskedRefund, Payment, Refund
from billing.refund_policy import Basis
from membership import stories
from membership.models import AuditEntry, Member, Membership
from tests.billing.test_races import at_once
from tests.console import clerks
from tests.console.test_today import confirm, counts, text

pytestmark = pytest.mark.django_db(transaction=True)
GOODWILL = {"basis": "goodwill", "amount": "80", "reason": "a ruined party", "once": "0123abcd"}


def at_stripe() -> list[int]:
    return [refund.amount for refund in gateway.client().v1.refunds.list({"limit": 10}).data]


@pytest.fixture
def vik(joined):
    return clerks.hired("support", "Vik Rao")


@pytest.fixture
def mara(joined):
    return clerks.hired("manager", "Mara Voss")


@pytest.fixture
def asked(vik) -> AskedRefund:
    """Vik's, through the member's page."""
    address = f"/console/members/{Member.objects.get().number}/refund/"
    assert confirm(clerks.at_desk(vik), address, **GOODWILL).status_code == 302
    return AskedRefund.objects.get()


def answers(asked: AskedRefund, held, what: str = "approve"):
    return confirm(clerks.at_desk(held), f"/console/refunds/{asked.pk}/{what}/", reason="talked to her")


def refused(asked: AskedRefund, held, what: str = "approve") -> int:
    return clerks.at_desk(held).post(f"/console/refunds/{asked.pk}/{what}/", {"reason": "so be it"}).status_code


class TestAsking:
    def test_gives_nothing_back_and_waits(self, asked, mara):
        assert (at_stripe(), asked.amount, asked.answer) == ([], 8000, "")
        desk = clerks.at_desk(mara)
        assert counts(desk)["second-person"] == "1"
        assert "€ 80.00 Vik Rao: “a ruined party”" in text(desk.get("/console/queues/second-person/"))

    def test_twice_waits_once(self, asked, vik):
        address = f"/console/members/{Member.objects.get().number}/refund/"
        answer = clerks.at_desk(vik).post(address, GOODWILL | {"once": "other"})
        mark = re.search(r'name="confirmed" value="(\w+)"', answer.content.decode())[1]
        answer = clerks.at_desk(vik).post(address, GOODWILL | {"once": "other", "confirmed": mark})
        assert (answer.status_code, AskedRefund.objects.count()) == (409, 1)

    def test_is_taken_back_by_who_asked_and_nobody_else(self, asked, vik, mara):
        address = f"/console/members/{Member.objects.get().number}/take-request-back/"
        page = f"/console/members/{Member.objects.get().number}/"
        assert address not in clerks.at_desk(mara).get(page).content.decode()
        assert "Not possible now." in text(clerks.at_desk(mara).get(address))
        assert address in clerks.at_desk(vik).get(page).content.decode()
        said = {"reason": "she was paid by transfer", "once": "t"}
        assert "€ 80.00" in text(clerks.at_desk(vik).post(address, said))
        assert confirm(clerks.at_desk(vik), address, **said).status_code == 302
        row = AskedRefund.objects.get()
        assert (row.answer, row.note, counts(clerks.at_desk(mara))["second-person"]) == (
            "withdrawn",
            "she was paid by transfer",
            "0",
        )
        assert refused(asked, mara) == 409
        assert AuditEntry.objects.get(verb="refund.withdrawn").actor == vik.actor

    def test_lasts_a_week_and_can_be_asked_again(self, asked, vik, mara, clock):
        clock.move(days=7)
        assert counts(clerks.at_desk(mara))["second-person"] == "0"
        assert refused(asked, mara) == 409
        address = f"/console/members/{Member.objects.get().number}/refund/"
        assert confirm(clerks.at_desk(vik), address, **GOODWILL | {"once": "other"}).status_code == 302
        assert list(AskedRefund.objects.order_by("pk").values_list("answer", flat=True)) == ["overtaken", ""]


class TestTheLimit:
    def test_counts_what_one_person_gave_before(self, vik, mara, clock):
        address = f"/console/members/{Member.objects.get().number}/refund/"
        desk = clerks.at_desk(vik)
        assert confirm(desk, address, **GOODWILL | {"amount": "49", "once": "a"}).status_code == 302
        clock.move(days=29)
        second = GOODWILL | {"amount": "30", "once": "b"}
        page = text(clerks.at_desk(vik).post(address, second))
        assert "one person gave € 49.00 of goodwill already" in page
        assert "Ask a second person" in page
        assert confirm(clerks.at_desk(vik), address, **second).status_code == 302
        assert (at_stripe(), AskedRefund.objects.get().amount) == ([4900], 3000)
        again = text(clerks.at_desk(vik).post(address, GOODWILL | {"amount": "1", "once": "c"}))
        assert "€ 30.00 that Vik Rao asked for wait for a second person" in again
        clock.move(days=2)
        assert "Ask a second person" not in text(clerks.at_desk(vik).post(address, second | {"once": "d"}))

    def test_of_two_halves_at_once_one_waits(self, vik, clock):
        own = Membership.objects.get()

        def give(name: str):
            quote = refund_quotes.quote(
                membership=Membership.objects.with_facts().get(), basis=Basis.GOODWILL, amount=4900, at=clock.now
            )
            return lambda: refunds.decide(
                membership=own,
                quote=quote,
                effect="money_only",
                reason="kind",
                actor="staff:1",
                once=name,
                at=clock.now,
            )

        at_once(give("a"), give("b"))
        assert Refund.objects.count() == 1


class TestApproving:
    def test_gives_exactly_what_was_asked_and_names_both(self, asked, vik, mara):
        assert answers(asked, mara)["Location"] == "/console/queues/second-person/"
        assert at_stripe() == [8000]
        given = Refund.objects.get()
        assert (given.actor, given.approved_by, given.reason) == (vik.actor, mara.actor, "a ruined party")
        audited = AuditEntry.objects.filter(verb__in=["refund.asked", "refund", "refund.approved"]).order_by("pk")
        assert [(a.verb, a.actor, a.data["reason"]) for a in audited] == [
            ("refund.asked", vik.actor, "a ruined party"),
            ("refund", vik.actor, "a ruined party"),
            ("refund.approved", mara.actor, "talked to her"),
        ]
        told = {line.words: line.who for line in stories.of(Member.objects.get(), group="money").lines}
        assert told["Approved what Vik Rao had asked to give back."] == "Mara Voss"

    def test_a_second_time_finds_it_answered(self, asked, mara):
        answers(asked, mara)
        assert (refused(asked, mara), at_stripe()) == (409, [8000])

    def test_is_not_for_who_asked(self, asked, vik):
        vik.role = "manager"
        vik.save()
        assert (refused(asked, vik), at_stripe()) == (403, [])

    def test_is_not_for_whose_money_it_is(self, asked):
        ada = clerks.Staff.objects.create(
            user=Member.objects.get().user, role="manager", name="Ada", granted_at=asked.asked_at
        )
        assert (refused(asked, ada), at_stripe()) == (403, [])

    @pytest.mark.parametrize("role", ["viewer", "support"])
    def test_is_not_for_every_role(self, asked, role):
        assert refused(asked, clerks.hired(role)) == 403

    def test_asks_who_is_there_once_more(self, asked, mara):
        desk = clerks.logged_in(mara.user, clerks.PROVEN | {"at": 0})
        answer = desk.get(f"/console/refunds/{asked.pk}/approve/")
        assert answer["Location"].startswith("/account/reauthenticate/")

    def test_a_quote_that_is_no_longer_true_is_asked_anew(self, asked, mara):
        Payment.objects.update(returned=6000)
        assert refused(asked, mara) == 409
        assert (at_stripe(), AskedRefund.objects.get().answer) == ([], "")

    def test_declined_gives_nothing(self, asked, mara):
        answers(asked, mara, "decline")
        asked.refresh_from_db()
        assert (asked.answer, asked.note, at_stripe()) == ("declined", "talked to her", [])


class TestTheDatabase:
    def test_refuses_an_answer_by_who_asked(self, asked, vik):
        with pytest.raises(IntegrityError, match="another_person"):
            AskedRefund.objects.update(answer="declined", answered_by=vik.user, answered_at=asked.asked_at)

    def test_refuses_one_decision_for_two(self, asked, mara):
        answers(asked, mara)
        asked.refresh_from_db()
        asked.pk, asked.once = None, "other"
        with pytest.raises(IntegrityError):
            asked.save()


class TestTwoAtOnce:
    @pytest.fixture
    def both(self, asked, mara, clock):
        other = clerks.hired("billing", "Ines Ott")
        return [
            lambda by=by: approvals.approve(asked.pk, by=by, reason="talked to her", at=clock.now)
            for by in (mara, other)
        ]

    def test_give_it_once(self, both):
        answers = at_once(*both)
        assert sorted(type(a).__name__ for a in answers) == ["Answered", "str"]
        assert (at_stripe(), AskedRefund.objects.get().answer) == ([8000], "approved")

    def test_twin_without_the_answer_and_its_decision_both_give_it(self, both, asked, monkeypatch):
        """Nothing is kept of the first answer, and each decision has a name of its own: paid twice."""
        AskedRefund.objects.update(
            amount=5500, mark=asked.mark.replace("8000", "5500")
        )  # twice is not all that was paid
        decide = refunds.decide
        monkeypatch.setattr(approvals, "_answer", lambda *_, **__: None)
        monkeypatch.setattr(approvals, "_tell", lambda *_, **__: None)
        monkeypatch.setattr(refunds, "decide", lambda **said: decide(**said | {"once": ""}))
        at_once(*both)
        assert at_stripe() == [5500, 5500]
