"""After the last paid day: the place is free, goodbye is said, and who comes back is welcome."""

from __future__ import annotations

import pytest

from billing import running_out
from membership import cards, standing
from membership.models import Membership, Status
from membership.standing import Standing
from tests import factories
from tests.billing.conftest import come_back, go_to_pay, mails, pay
from tests.invariants import breached_once_worked_off

pytestmark = pytest.mark.django_db(transaction=True)


class TestRunningOut:
    @pytest.fixture
    def canceled(self, joined):
        joined.post("/portal/cancel/")
        return joined

    def test_lasts_through_its_last_day_and_then_lapses_by_the_clock(self, canceled, clock, webhooks):
        clock.move_to(factories.moment("2027-03-02T22:59"))
        webhooks()
        membership = Membership.objects.with_facts().get()
        assert standing.at(membership, clock.now) == Standing.CURRENT
        clock.move(minutes=1)
        assert standing.at(membership, clock.now) == Standing.LAPSED
        assert membership.status == Status.ACTIVE

    def test_frees_the_place_and_says_goodbye_once(self, canceled, clock, webhooks):
        clock.move_to(factories.moment("2027-03-03T08:00"))
        running_out.see_out(at=clock.now)
        webhooks("duplicated")
        running_out.see_out(at=clock.now)
        assert Membership.objects.get().status == Status.ENDED
        assert len(mails("membership_ended")) == 1
        assert breached_once_worked_off() == set()

    def test_cannot_be_stayed_with_any_more(self, canceled, clock, webhooks):
        clock.move_to(factories.moment("2027-03-02T12:00"))
        webhooks()
        answer = canceled.post("/portal/stay/", follow=True)
        assert "join again as soon as it has ended" in answer.content.decode()
        assert Membership.objects.get().canceled_at


class TestRejoining:
    @pytest.fixture
    def gone(self, joined, clock, webhooks):
        joined.post("/portal/cancel/")
        clock.move_to(factories.moment("2027-06-01T10:00"))
        webhooks()
        running_out.see_out(at=clock.now)
        return joined

    def test_is_met_with_a_welcome_back(self, gone, ada):
        page = gone.get("/plans/").content.decode()
        assert "Welcome back, Ada Lovelace." in page
        assert "You are a member since 2 March 2026" in page
        assert "You are welcome back" in gone.get("/portal/").content.decode()
        pay(go_to_pay(gone, "silver-year"))
        assert "Welcome back. Your membership has begun." in gone.get(come_back(gone)["Location"]).content.decode()
        letter = mails("welcome")[0]
        assert letter.subject == "Welcome back: you are a Silver member"
        assert "you are a member since 2 March 2026" in letter.text

    def test_that_is_given_up_before_paying_leaves_things_as_they_were(self, gone):
        go_to_pay(gone)
        gone.post("/portal/cancel/", {"promised": "place"})
        assert "You are welcome back" in gone.get("/portal/").content.decode()

    def test_with_a_lost_card_brings_a_new_one(self, gone, ada, clock):
        cards.revoke(card=ada.cards.get(), reason=cards.RevokeReason.LOST, at=clock.now, actor="staff:1")
        pay(go_to_pay(gone))
        come_back(gone)
        assert ada.cards.filter(revoked_at=None).count() == 1
        assert ada.cards.count() == 2

    def test_keeps_number_and_day_and_card_in_a_new_membership(self, gone, ada):
        card = ada.cards.get()
        pay(go_to_pay(gone, "silver-year"))
        come_back(gone)
        ada.refresh_from_db()
        assert ada.member_since == factories.moment("2026-03-02T10:00")
        assert ada.cards.get() == card
        assert card.revoked_at is None
        first, second = Membership.objects.order_by("pk")
        assert (first.status, second.status) == (Status.ENDED, Status.ACTIVE)
        assert second.plan.tier.code == "silver"
        assert breached_once_worked_off() == set()
