"""Each invariant is broken by hand, and exactly that one is reported; a constraint is seen to refuse first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction

from membership import cards, lifecycle, work
from membership import clock as product_clock
from membership.models import AuditEntry, Card, Member, Membership, Message, Term, Tick
from membership.signals import membership_changed
from tests import factories
from tests.console import clerks
from tests.factories import moment
from tests.invariants import breached, without_constraint

AT = moment("2026-03-10T09:00")


def _ada() -> Membership:
    """A current gold member, paid offline so that no invoice is needed."""
    plan = factories.plan("gold-year")
    membership = lifecycle.reserve(member=factories.member(), plan=plan, currency="EUR", at=AT, actor="staff:1")
    lifecycle.add_term(membership=membership, source="offline", source_ref="cash:1", plan=plan, at=AT, actor="staff:1")
    return Membership.objects.get(pk=membership.pk)


def _rebuild_what_follows(membership: Membership) -> None:
    """What the upper apps keep beside the facts follows the broken facts, so that only the facts are wrong."""
    membership_changed.send(sender=Membership, membership=Membership.objects.with_facts().get(pk=membership.pk), at=AT)


@pytest.mark.django_db
class TestWhatIsOnlyChecked:
    def test_a_sound_database_has_no_breach(self):
        cards.issue(member=_ada().member, at=AT, actor="staff:1")
        assert breached() == set()

    def test_a_term_that_ends_elsewhere_is_i3(self):
        ada = _ada()
        Term.objects.filter(membership=ada).update(ends_at=moment("2027-03-11T09:00"))
        Membership.objects.filter(pk=ada.pk).update(entitled_until=moment("2027-03-11T23:00"))
        _rebuild_what_follows(ada)
        assert breached() == {"I3"}

    def test_a_gap_between_terms_is_i3(self):
        ada = _ada()
        plan = ada.plan
        lifecycle.add_term(membership=ada, source="offline", source_ref="cash:2", plan=plan, at=AT, actor="staff:1")
        Term.objects.filter(source_ref="cash:2").update(starts_at=moment("2027-03-20T09:00"))
        _rebuild_what_follows(ada)
        assert breached() == {"I3"}

    def test_an_entitlement_longer_than_the_terms_is_i4(self):
        Membership.objects.filter(pk=_ada().pk).update(entitled_until=AT + timedelta(days=900))
        assert "I4" in breached()

    def test_a_status_without_its_facts_is_i4(self):
        Membership.objects.filter(pk=_ada().pk).update(status="suspended")
        assert "I4" in breached()


@pytest.mark.django_db(transaction=True)
class TestWhatIsAlsoAConstraint:
    def test_a_second_open_membership_is_refused_and_is_i1(self):
        member, plan = factories.member(), factories.plan("gold-year")

        def reserve() -> Membership:
            return Membership.objects.create(member=member, plan=plan, currency="EUR", time_zone="UTC", reserved_at=AT)

        reserve()
        with pytest.raises(IntegrityError), transaction.atomic():
            reserve()
        with without_constraint(Membership, "one_open_membership_per_member"):
            reserve()
            assert breached() == {"I1"}

    def test_a_second_valid_card_is_refused_and_is_i16(self):
        member = factories.member()
        cards.issue(member=member, at=AT, actor="staff:1")
        with pytest.raises(IntegrityError), transaction.atomic():
            Card.objects.create(member=member, issued_at=AT)
        with without_constraint(Card, "one_card_per_member"):
            Card.objects.create(member=member, issued_at=AT)
            assert breached() == {"I16"}

    def test_a_card_revoked_before_its_issue_is_refused_and_is_i16(self):
        member = factories.member()
        with pytest.raises(IntegrityError), transaction.atomic():
            Card.objects.create(member=member, issued_at=AT, revoked_at=AT - timedelta(days=1))
        with without_constraint(Card, "card_is_revoked_after_issue"):
            Card.objects.create(member=member, issued_at=AT, revoked_at=AT - timedelta(days=1))
            assert breached() == {"I16", "I17"}  # nobody stands in the audit for it either

    def test_a_card_number_is_never_used_twice(self):
        ada = _ada()
        card = cards.issue(member=ada.member, at=AT, actor="staff:1")
        with pytest.raises(IntegrityError), transaction.atomic():
            Card.objects.create(id=card.pk, member=factories.member("Grace"), issued_at=AT)
        assert Member.objects.filter(cards=card).count() == 1


@pytest.mark.django_db
class TestWhoDidItAndWhoMay:
    @pytest.mark.parametrize("verb", ["add_term", "issue_card", "grant_role"])
    def test_what_nobody_answers_for_in_the_audit_is_i17(self, verb):
        cards.issue(member=_ada().member, at=AT, actor="staff:1")
        clerks.hired()
        assert breached() == set()
        AuditEntry.objects.filter(verb=verb).delete()
        assert breached() == ({"I2", "I17"} if verb == "add_term" else {"I17"})

    def test_staff_without_a_second_factor_for_more_than_a_week_are_i19(self, clock, settings):
        held = clerks.hired()
        clock.move(days=8)
        assert "I19" in breached()
        settings.CONSOLE_SECOND_FACTOR = False  # as in the demo
        assert "I19" not in breached()
        settings.CONSOLE_SECOND_FACTOR = True
        Authenticator.objects.create(user=held.user, type=Authenticator.Type.TOTP, data={})
        assert "I19" not in breached()


@pytest.mark.django_db
class TestI14:
    @pytest.fixture
    def swept(self, clock):
        work.ticked("send messages", at=clock.now)
        assert breached() == set()

    def _letter(self, at, **fields) -> None:
        Message.objects.create(
            **{"key": "a", "kind": "x", "to": "a@example.org", "written_at": at, "due_at": at} | fields
        )

    def test_a_sweep_that_fell_silent(self, swept):
        Tick.objects.update(ran_wall=product_clock.wall() - timedelta(minutes=11))
        assert breached() == {"I14"}

    def test_a_row_that_the_sweep_left_lying(self, swept, clock):
        self._letter(clock.now - timedelta(minutes=11))
        assert breached() == {"I14"}

    def test_but_not_one_that_is_done_or_parked_or_due_since_the_sweep(self, swept, clock):
        old = clock.now - timedelta(minutes=11)
        self._letter(old, done_at=old)
        self._letter(old, key="b", parked_reason="no such address")
        assert breached() == set()
        clock.move(days=400)  # a moved clock makes nothing late that no sweep could have done
        self._letter(clock.now - timedelta(days=1), key="c")
        assert breached() == {"I11"}  # but its reader has waited, whoever is to blame
