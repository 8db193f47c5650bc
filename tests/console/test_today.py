"""Today: what waits for a person, counted as far as anybody counts, each row with its act."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from billing.models import Declaration, Invoice
from membership import lifecycle
from membership.console import queues
from membership.models import AuditEntry, Member
from tests import factories
from tests.billing.declaring import declare, work_it_off
from tests.console import clerks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(clock) -> Client:
    return clerks.at_desk(clerks.hired("support"))


def text(answer) -> str:
    assert answer.status_code == 200, answer.status_code
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().replace("\xa0", " ")))


def counts(desk: Client) -> dict[str, str]:
    page = desk.get("/console/").content.decode()
    bar = re.search(r'<nav class="desk-bar".*?</nav>', page, re.DOTALL)
    assert bar
    return dict(re.findall(r'queues/([\w-]+)/".*?class="count">([\d+]+)<', bar[0], re.DOTALL))


def unpaid(trouble: str, at, **facts):
    """A renewal of somebody's that the bank did not pay."""
    fact = {"plan": factories.plan(), "at": at, "actor": "test"}
    membership = lifecycle.reserve(member=factories.member(), currency="EUR", **fact)
    lifecycle.add_term(membership=membership, source="paid", source_ref=f"test:{membership.pk}", **fact)
    return Invoice.objects.create(
        membership=membership, stripe_id=f"in_{membership.pk}", status="open", currency="EUR", total=11900,
        amount_paid=0, amount_due=11900, trouble=trouble, made_at=at, read_at=at, **facts,
    )  # fmt: skip


class TestToday:
    def test_is_the_front_page_and_kind_when_nothing_waits(self, desk):
        page = text(desk.get("/console/"))
        assert "Every renewal that was tried is paid." in page
        assert set(counts(desk).values()) == {"0"}

    def test_tells_what_the_bank_refused_from_what_it_asks(self, desk, clock):
        unpaid("declined", clock.now, next_try_at=clock.now + timedelta(days=3), decline_code="expired_card")
        unpaid("no_card", clock.now)
        unpaid("action", clock.now)
        unpaid("", clock.now)
        told = counts(desk)
        assert (told["payment-failed"], told["action-required"]) == ("2", "1")
        page = text(desk.get("/console/queues/payment-failed/"))
        assert "€ 119.00 The card has expired." in page

    def test_counts_no_further_than_anybody_reads(self, desk, clock):
        first = unpaid("declined", clock.now)
        facts = {
            f.attname: getattr(first, f.attname) for f in Invoice._meta.fields if f.name not in {"id", "stripe_id"}
        }
        Invoice.objects.bulk_create([Invoice(**facts, stripe_id=f"in_many_{n}") for n in range(queues.MOST + 20)])
        assert counts(desk)["payment-failed"] == "100+"
        page = desk.get("/console/queues/payment-failed/").content.decode()
        assert page.count("Open the member") == queues.MOST

    def test_stands_beside_every_page(self, desk, clock):
        member = factories.member()
        assert "desk-bar" in desk.get(f"/console/members/{member.number}/").content.decode()

    def test_an_unknown_queue_is_not_there(self, desk):
        assert desk.get("/console/queues/unheard-of/").status_code == 404

    def test_a_queue_of_another_role_says_whose_it_is(self, desk):
        clerks.hired("billing", "Tessa Vos")
        answer = desk.get("/console/queues/second-person/")
        assert answer.status_code == 403
        assert "Tessa Vos" in answer.content.decode()

    def test_all_queues_are_counted_in_one_question(self, clock, django_assert_num_queries):
        staff = clerks.hired("manager")
        with django_assert_num_queries(1):
            queues.counted(staff, clock.now)


def confirm(desk: Client, address: str, **said: str):
    """Look first, then confirm what was shown."""
    shown = desk.post(address, said)
    mark = re.search(r'name="confirmed" value="(\w+)"', shown.content.decode())
    assert mark, text(shown)
    return desk.post(address, said | {"confirmed": mark[1]})


@pytest.fixture
def waiting(on_sale, clock) -> Declaration:
    """A cancellation by somebody whom nobody knows."""
    declare(Client(), email="stranger@example.org")
    return work_it_off()


class TestDeclarations:
    def test_wait_with_what_they_wait_for(self, desk, waiting):
        page = text(desk.get("/console/queues/declarations/"))
        assert "Ada Lovelace Cancellation No account has this address." in page
        assert f"Declaration {waiting.reference}" in text(desk.get(f"/console/declarations/{waiting.token}/"))

    def test_are_assigned_and_carried_out(self, desk, joined, waiting):
        her = Member.objects.get(user__email="ada@example.org")
        done = confirm(desk, f"/console/declarations/{waiting.token}/assign/", number=her.number, reason="she called")
        assert done["Location"] == "/console/queues/declarations/"
        waiting.refresh_from_db()
        assert (waiting.outcome, waiting.member) == ("canceled", her)
        assert AuditEntry.objects.get(verb="declaration.assign").data == {"member": her.pk, "reason": "she called"}

    def test_are_closed_with_a_reason(self, desk, waiting):
        confirm(desk, f"/console/declarations/{waiting.token}/close/", reason="answered: no membership of ours")
        waiting.refresh_from_db()
        assert (waiting.outcome, waiting.note) == ("staff", "answered: no membership of ours")
        assert counts(desk)["declarations"] == "0"

    def test_are_nobodys_by_a_number_that_is_none(self, desk, waiting):
        answer = desk.post(f"/console/declarations/{waiting.token}/assign/", {"number": "123", "reason": "guessed"})
        assert answer.status_code == 422
        assert "No member has this number." in answer.content.decode()

    def test_closed_ones_stay_closed(self, desk, waiting):
        address = f"/console/declarations/{waiting.token}/close/"
        confirm(desk, address, reason="done")
        assert desk.post(address, {"reason": "again"}).status_code == 409
