"""Cards: one that stands a member, and what a scanned one is worth."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from membership import card_token, cards, signup
from membership.models import (
    AuditEntry,
    Card,
    Membership,
    Plan,
    SearchKey,
    Status,
    Stop,
    Term,
    Tier,
    TimelineEntry,
    User,
)
from membership.signals import card_changed
from membership.standing import Standing

pytestmark = pytest.mark.django_db

JOINED = datetime(2026, 3, 10, 9, tzinfo=UTC)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def ada():
    """Gold, joined on 10 March 2026 for a year; her renewal is expected."""
    user = User.objects.create_user("ada@example.org")
    member = signup.create_member(user=user, name="Ada Lovelace", at=JOINED)
    tier = Tier.objects.create(code="gold", name="Gold", rank=3, color="gold")
    plan = Plan.objects.create(code="gold-year", tier=tier, interval="year", grace_days=14)
    membership = Membership.objects.create(
        member=member,
        status=Status.ACTIVE,
        plan=plan,
        currency="EUR",
        time_zone="Europe/Amsterdam",
        reserved_at=JOINED,
        entitled_until=datetime(2027, 3, 10, 23, tzinfo=UTC),
    )
    Term.objects.create(
        membership=membership,
        plan=plan,
        source="paid",
        source_ref="in_1",
        anchor_at=JOINED,
        interval="year",
        ordinal=1,
        starts_at=JOINED,
        ends_at=JOINED.replace(year=2027),
        recorded_at=JOINED,
    )
    return member


def issued(member, at=JOINED) -> Card:
    return cards.issue(member=member, at=at, actor="system")


class TestIssue:
    def test_gives_one_card_however_often_it_is_asked(self, ada):
        assert issued(ada) == issued(ada, at=NOON)
        assert Card.objects.count() == 1

    def test_gives_the_card_that_another_process_issued_at_the_same_time(self, ada, monkeypatch):
        theirs = Card.objects.create(member=ada, issued_at=JOINED)
        monkeypatch.setattr(cards, "current", lambda *, member: None)
        assert issued(ada) == theirs

    def test_is_told_to_timeline_audit_and_search(self, ada):
        card = issued(ada)
        assert TimelineEntry.objects.get(kind="card_issued").source_ref == f"card:{card.pk}"
        assert AuditEntry.objects.get(verb="issue_card").data == {"card": str(card.pk)}
        assert SearchKey.objects.filter(member=ada, kind="card", value=str(card.pk)).exists()

    def test_is_announced_inside_its_transaction(self, ada, django_capture_on_commit_callbacks):
        heard = []

        def listen(sender, *, card, at, **_):
            heard.append((card.pk, at))
            raise RuntimeError("the listener cannot follow")

        card_changed.connect(listen)
        try:
            with pytest.raises(RuntimeError):
                issued(ada)
        finally:
            card_changed.disconnect(listen)
        assert len(heard) == 1
        assert not Card.objects.exists()
        assert not TimelineEntry.objects.filter(kind="card_issued").exists()


class TestReissue:
    def test_revokes_the_last_card(self, ada):
        last = issued(ada)
        new = cards.reissue(member=ada, reason=cards.RevokeReason.LOST, at=NOON, actor="staff:1")
        last.refresh_from_db()
        assert (last.revoked_at, new.revoked_at) == (NOON, None)
        assert AuditEntry.objects.get(verb="revoke_card").data == {"card": str(last.pk), "reason": "lost"}

    def test_announces_both_cards(self, ada):
        last, heard = issued(ada), []

        def listen(sender, *, card, **_):
            heard.append((card.pk, card.revoked_at))

        card_changed.connect(listen)
        new = cards.reissue(member=ada, reason=cards.RevokeReason.WORN, at=NOON, actor="staff:1")
        card_changed.disconnect(listen)
        assert heard == [(last.pk, NOON), (new.pk, None)]


class TestRevoke:
    def test_twice_keeps_the_first_moment(self, ada):
        card = issued(ada)
        for moment in (NOON, NOON + DAY):
            cards.revoke(card=card, reason=cards.RevokeReason.STOLEN, at=moment, actor="staff:1")
        assert card.revoked_at == NOON
        assert TimelineEntry.objects.filter(kind="card_revoked").count() == 1

    def test_is_not_refused_by_a_clock_set_back(self, ada):
        card = issued(ada, at=NOON)
        cards.revoke(card=card, reason=cards.RevokeReason.STOLEN, at=NOON - DAY, actor="staff:1")
        assert not cards.check(card_token.issue(card.pk), at=NOON - DAY).valid


class TestFirstOrCurrent:
    def test_does_not_replace_a_card_that_was_taken_away(self, ada):
        card = cards.first_or_current(member=ada, at=JOINED, actor="system")
        assert card is not None
        cards.revoke(card=card, reason=cards.RevokeReason.ABUSED, at=NOON, actor="staff:1")
        assert cards.first_or_current(member=ada, at=NOON, actor="system") is None


class TestCheck:
    def test_tells_what_a_current_card_is_worth(self, ada):
        check = cards.check(card_token.url(issued(ada)), at=NOON)
        assert (check.valid, check.reason, check.standing) == (True, cards.CheckReason.VALID, Standing.CURRENT)
        assert check.tier is not None
        assert check.tier.code == "gold"
        assert check.entitled_until == datetime(2027, 3, 10, 23, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("moment", "valid", "standing"),
        [
            (datetime(2027, 3, 10, 22, 59, tzinfo=UTC), True, Standing.CURRENT),
            (datetime(2027, 3, 10, 23, tzinfo=UTC), True, Standing.GRACE),
            (datetime(2027, 3, 24, 23, tzinfo=UTC), False, Standing.LAPSED),  # 14 days of grace are over
        ],
    )
    def test_follows_the_clock_alone(self, ada, moment, valid, standing):
        check = cards.check(card_token.issue(issued(ada).pk), at=moment)
        assert (check.valid, check.standing) == (valid, standing)

    def test_refuses_a_suspended_member(self, ada):
        Stop.objects.create(membership=ada.memberships.get(), source="fraud", source_ref="f1", opened_at=NOON)
        check = cards.check(card_token.issue(issued(ada).pk), at=NOON)
        assert (check.valid, check.reason) == (False, cards.CheckReason.NOT_VALID)

    def test_says_replaced_and_nothing_more_of_an_old_card(self, ada):
        token = card_token.issue(issued(ada).pk)
        cards.reissue(member=ada, reason=cards.RevokeReason.LOST, at=NOON, actor="staff:1")
        check = cards.check(token, at=NOON)
        assert (check.valid, check.reason) == (False, cards.CheckReason.REPLACED)
        assert (check.tier, check.standing, check.entitled_until) == (None, None, None)

    def test_does_not_say_replaced_where_nothing_replaced_it(self, ada):
        card = issued(ada)
        cards.revoke(card=card, reason=cards.RevokeReason.ABUSED, at=NOON, actor="staff:1")
        assert cards.check(card_token.issue(card.pk), at=NOON).reason == cards.CheckReason.NOT_VALID

    def test_refuses_a_member_without_membership(self):
        bob = signup.create_member(user=User.objects.create_user("bob@example.org"), name="Bob", at=JOINED)
        check = cards.check(card_token.issue(issued(bob).pk), at=NOON)
        assert (check.valid, check.standing) == (False, None)

    def test_refuses_a_well_signed_token_of_a_card_that_never_was(self):
        check = cards.check(card_token.issue(uuid.UUID(int=7)), at=NOON)
        assert (check.valid, check.card) == (False, None)
