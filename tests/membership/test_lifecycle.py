"""The verbs: what each refuses, what it writes beside, and that it may be told twice."""

from __future__ import annotations

import pytest

from membership import lifecycle, standing
from membership.models import AuditEntry, Membership, Stop, Term, TimelineEntry, Transition
from membership.signals import membership_changed
from tests import factories
from tests.factories import moment

pytestmark = pytest.mark.django_db
AT = moment("2026-03-10T09:00")


@pytest.fixture
def gold(db):
    return factories.plan("gold-year")


@pytest.fixture
def pending(gold) -> Membership:
    return lifecycle.reserve(member=factories.member(), plan=gold, currency="EUR", at=AT, actor="member:1")


@pytest.fixture
def active(pending, gold) -> Membership:
    lifecycle.add_term(membership=pending, source="paid", source_ref="il_1", plan=gold, at=AT, actor="stripe")
    return Membership.objects.get(pk=pending.pk)


class TestReserve:
    def test_again_gives_the_same_place_with_the_plan_now_wanted(self, pending):
        silver = factories.plan("silver-year")
        again = lifecycle.reserve(member=pending.member, plan=silver, currency="USD", at=AT, actor="member:1")
        assert (again.pk, again.plan, again.currency) == (pending.pk, silver, "USD")

    def test_is_refused_to_a_member(self, active, gold):
        with pytest.raises(lifecycle.AlreadyMember):
            lifecycle.reserve(member=active.member, plan=gold, currency="EUR", at=AT, actor="member:1")


class TestAddTerm:
    def test_told_twice_adds_one(self, active, gold):
        term, new = lifecycle.add_term(
            membership=active, source="paid", source_ref="il_1", plan=gold, at=AT, actor="stripe"
        )
        assert (term, new) == (Term.objects.get(), False)

    def test_is_refused_after_the_end(self, active, gold):
        lifecycle.end(membership=active, reason="staff", at=AT, actor="staff:1")
        with pytest.raises(lifecycle.NotPossible):
            lifecycle.add_term(membership=active, source="paid", source_ref="il_2", plan=gold, at=AT, actor="stripe")

    def test_writes_transition_timeline_and_audit_and_announces(self, pending, gold):
        heard = []

        def hear(membership, at, **_):
            heard.append((membership.status, at))

        membership_changed.connect(hear)
        try:
            lifecycle.add_term(membership=pending, source="paid", source_ref="il_1", plan=gold, at=AT, actor="stripe")
        finally:
            membership_changed.disconnect(hear)
        assert heard == [("active", AT)]
        assert Transition.objects.filter(from_status="pending", to_status="active", verb="add_term").count() == 1
        assert TimelineEntry.objects.filter(kind="membership.add_term", source_ref="il_1").count() == 1
        assert AuditEntry.objects.filter(verb="add_term", actor="stripe").count() == 1

    def test_of_a_later_start_is_pending_until_then(self, pending, gold):
        lifecycle.add_term(
            membership=pending,
            source="gift",
            source_ref="gift:1",
            plan=gold,
            starts_at=moment("2026-04-01T00:00"),
            at=AT,
            actor="staff:1",
        )
        facts = Membership.objects.with_facts().get()
        assert standing.at(facts, AT) == "pending"
        assert standing.at(facts, moment("2026-04-01T00:00")) == "current"
        assert standing.who_speak([facts.member], AT)[facts.member_id].standing == "pending"


class TestPause:
    @pytest.mark.parametrize("until", ["2026-03-10T09:00", "2026-03-01T09:00"])
    def test_must_end_later_than_it_begins(self, active, until):
        with pytest.raises(lifecycle.NothingToPause):
            lifecycle.pause(membership=active, until=moment(until), at=AT, actor="member:1")

    def test_is_one_at_a_time(self, active):
        lifecycle.pause(membership=active, until=moment("2026-05-01T00:00"), at=AT, actor="member:1")
        with pytest.raises(lifecycle.NothingToPause):
            lifecycle.pause(membership=active, until=moment("2026-06-01T00:00"), at=AT, actor="member:1")

    def test_cannot_be_ended_when_there_is_none(self, active):
        with pytest.raises(lifecycle.NotPossible):
            lifecycle.end_pause(membership=active, at=AT, actor="member:1")


class TestStops:
    def test_the_same_reason_told_twice_is_one_stop(self, active):
        for _again in range(2):
            lifecycle.suspend(membership=active, source="dispute", source_ref="dp_1", at=AT, actor="stripe")
        assert Stop.objects.count() == 1

    def test_lifting_what_is_not_there_changes_nothing(self, active):
        lifecycle.lift(membership=active, source="dispute", source_ref="dp_9", at=AT, actor="stripe")
        assert Membership.objects.get().status == "active"


class TestLeaving:
    def test_in_grace_ends_now(self, active):
        after = moment("2027-03-12T09:00")
        left = lifecycle.cancel(membership=active, at=after, actor="member:1")
        assert (left.status, left.end_reason, left.ended_at) == ("ended", "lapsed", after)

    def test_before_paying_gives_the_place_back(self, pending):
        assert lifecycle.cancel(membership=pending, at=AT, actor="member:1").end_reason == "expired"

    def test_can_be_undone_while_the_term_runs(self, active):
        lifecycle.cancel(membership=active, at=AT, actor="member:1")
        assert lifecycle.undo_cancel(membership=active, at=AT, actor="member:1").renewal_expected

    def test_cannot_be_undone_when_nothing_was_canceled(self, active):
        with pytest.raises(lifecycle.NotPossible):
            lifecycle.undo_cancel(membership=active, at=AT, actor="member:1")

    def test_at_a_date_ends_by_the_clock_alone(self, active):
        day = moment("2026-06-01T00:00")
        lifecycle.end(membership=active, reason="refunded", at=AT, cut_at=day, actor="staff:1")
        facts = Membership.objects.with_facts().get()
        assert standing.at(facts, moment("2026-05-31T23:59:59")) == "current"
        assert standing.at(facts, day) == "ended"
        assert facts.entitled_until == day
        assert (facts.status, facts.end_reason, facts.ended_at) == ("active", "refunded", None)

    def test_at_a_date_keeps_its_reason_when_the_place_is_given_back(self, active, gold):
        day = moment("2026-06-01T00:00")
        lifecycle.end(membership=active, reason="refunded", at=AT, cut_at=day, actor="staff:1")
        lifecycle.reserve(member=active.member, plan=gold, currency="EUR", at=day, actor="member:1")
        active.refresh_from_db()
        assert (active.status, active.end_reason) == ("ended", "refunded")

    def test_for_another_cause_before_a_cut_to_come_tells_that_cause(self, active):
        day = moment("2026-06-01T00:00")
        lifecycle.end(membership=active, reason="refunded", at=AT, cut_at=day, actor="staff:1")
        assert (
            lifecycle.end(membership=active, reason="dispute_lost", at=AT, actor="stripe").end_reason == "dispute_lost"
        )
