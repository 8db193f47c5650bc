"""Notices before a renewal: each once, in order, whatever the beat does; told anew when what they said has changed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from billing import gateway, notices, tasks
from billing.models import Notice, StripePrice, Subscription
from membership import lifecycle
from membership.models import Membership, Plan, Status, Term
from tests.billing.conftest import mails

pytestmark = pytest.mark.django_db(transaction=True)


def renews_at() -> datetime:
    return Term.objects.get().ends_at


def subjects() -> list[str]:
    return [m.subject for m in sorted(mails("renewal_notice"), key=lambda m: m.pk)]


def told() -> list[str]:
    return list(Notice.objects.filter(issue__gte=1).order_by("sent_at").values_list("step", flat=True))


class TestTheTwoNotices:
    def test_say_the_amount_the_day_and_how_to_cancel(self, joined, clock):
        clock.move_to(renews_at() - timedelta(days=35))
        tasks.send_notices()
        [mail] = mails("renewal_notice")
        text = mail.text.replace("\xa0", " ")
        assert "2 March 2027" in mail.subject
        assert "€ 119.00" in text
        assert "/portal/cancel/" in text
        assert Notice.objects.get(step="T-35").announced["day"] == "2027-03-02"

    def test_come_35_and_7_days_before_and_not_sooner(self, joined, clock):
        for days, expected in ((35.01, []), (35, ["T-35"]), (7.01, ["T-35"]), (7, ["T-35", "T-7"])):
            clock.move_to(renews_at() - timedelta(days=days))
            tasks.send_notices()
            assert told() == expected

    def test_come_once_though_the_beat_is_doubled_and_the_clock_goes_back(self, joined, clock):
        for days in (35, 34, 7, 6):
            clock.move_to(renews_at() - timedelta(days=days))
            tasks.send_notices()
            tasks.send_notices()
            clock.move(hours=-2)
            tasks.send_notices()
        assert told() == ["T-35", "T-7"]
        assert len(subjects()) == 2

    @pytest.mark.parametrize("days", [32, 4])
    def test_come_late_rather_than_never_when_nothing_ran_for_three_days(self, joined, clock, days):
        clock.move_to(renews_at() - timedelta(days=days))
        tasks.send_notices()
        assert told() == ["T-35" if days > 7 else "T-7"]
        assert len(subjects()) == 1

    def test_are_not_owed_for_a_month(self):
        month = Plan(interval=Plan.Interval.MONTH)
        assert notices.steps(term=Term(source=Term.Source.PAID), plan=month) == ()
        assert [s.name for s in notices.steps(term=Term(source=Term.Source.TRIAL), plan=month)] == ["T-7"]

    def test_speak_german_to_those_who_do(self, joined, ada, clock):
        ada.user.language = "de"
        ada.user.save()
        clock.move_to(renews_at() - timedelta(days=35))
        tasks.send_notices()
        assert "2. März 2027" in subjects()[0]


class TestNothingIsOwed:
    def test_once_canceled(self, joined, clock):
        joined.post("/portal/cancel/")
        clock.move_to(renews_at() - timedelta(days=7))
        tasks.send_notices()
        assert subjects() == []

    def test_while_suspended(self, joined, clock):
        membership = Membership.objects.get()
        lifecycle.suspend(membership=membership, source="staff", source_ref="s1", at=clock.now, actor="staff:1")
        clock.move_to(renews_at() - timedelta(days=7))
        tasks.send_notices()
        assert subjects() == []
        lifecycle.lift(membership=membership, source="staff", source_ref="s1", at=clock.now, actor="staff:1")
        tasks.send_notices()
        assert told() == ["T-7"]

    def test_after_an_end(self, joined, clock):
        lifecycle.end(membership=Membership.objects.get(), reason="staff", at=clock.now, actor="staff:1")
        assert Membership.objects.get().status == Status.ENDED
        assert not Notice.objects.exists()

    def test_and_taking_a_cancellation_back_owes_it_again(self, joined, clock):
        clock.move_to(renews_at() - timedelta(days=35))
        tasks.send_notices()
        clock.move(days=10)
        joined.post("/portal/cancel/")
        joined.post("/portal/stay/")
        clock.move_to(renews_at() - timedelta(days=7))
        tasks.send_notices()
        assert told() == ["T-35", "T-7"]


class TestWhatChangesAfterwards:
    @pytest.fixture
    def warned(self, joined, clock):
        clock.move_to(renews_at() - timedelta(days=35))
        tasks.send_notices()
        assert len(subjects()) == 1
        return joined

    def test_nothing_is_told_anew_when_nothing_changed(self, warned, clock):
        warned.post("/portal/cancel/")
        warned.post("/portal/stay/")
        tasks.send_notices()
        assert len(subjects()) == 1

    def test_another_price_is_told_at_once(self, warned, webhooks):
        silver = StripePrice.objects.get(price__plan__code="silver-year", price__currency="EUR")
        api, subscription = gateway.client().v1, Subscription.objects.get().stripe_id
        [item] = api.subscriptions.retrieve(subscription)["items"].data
        change = {"items": [{"id": item.id, "price": silver.stripe_id}], "proration_behavior": "none"}
        api.subscriptions.update(subscription, change)
        webhooks()
        tasks.send_notices()
        assert [s.split(":")[0] for s in subjects()] == ["Your Gold membership renews on 2 March 2027", "Changed"]
        assert "€ 59.00" in mails("renewal_notice")[0].text.replace("\xa0", " ")
        assert Notice.objects.get(step="T-35").issue == 2
