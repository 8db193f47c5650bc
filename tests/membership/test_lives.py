"""The personas' lives: each moment in its order, from the past to the present, and resumed where they were left."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError

from membership import clock as product_clock
from membership.bootstrap import lives, personas
from membership.bootstrap.lives import Act
from perks.kinds import birthday_gift
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.VIP_DATA = tmp_path
    settings.VIP_CLOCK = "membership.clock.demo"
    return tmp_path


@pytest.fixture
def lived(monkeypatch):
    """What was done at which moment of the demo's clock; time is moved without its work."""
    told = []
    monkeypatch.setattr(lives.time_travel, "move", lambda *, to: product_clock.turn_to(to))

    def tell(*names: str, fails: str = ""):
        def acts(present):
            def do(name):
                if name == fails:
                    raise personas.Unexpected(name)
                told.append((name, product_clock.now().date().isoformat()))

            ago = [present - timedelta(days=30 * n) for n in range(len(names), 0, -1)]
            return [Act(at, name, lambda name=name: do(name)) for name, at in zip(names, ago, strict=True)]

        monkeypatch.setattr(lives, "acts", acts)
        return told

    return tell


class TestTheStory:
    @pytest.mark.parametrize(
        "present", ["2026-11-22T14:00", "2028-02-29T09:00", "2029-03-01T00:10", "2104-07-01T12:00"]
    )
    def test_is_told_in_order_and_lies_in_the_past(self, present):
        now = factories.moment(present)

        moments = [act.at for act in lives.acts(now)]

        assert moments == sorted(moments)
        assert moments[-1] < now

    @pytest.mark.parametrize(
        ("present", "joined"),
        [
            ("2026-11-22", "2024-02-29"),
            ("2029-03-25", "2024-02-29"),
            ("2029-04-20", "2028-02-29"),
            ("2104-01-01", "2096-02-29"),
        ],
    )
    def test_the_leap_day_has_seen_a_renewal_since(self, present, joined):
        leap = next(act for act in lives.acts(factories.moment(f"{present}T12:00")) if act.name.startswith("Esme"))

        assert leap.at.date().isoformat() == joined

    def test_each_persona_joins_once(self):
        names = [act.name for act in lives.acts(product_clock.wall())]

        assert len(names) == len(set(names))
        for persona in personas.PERSONAS:
            assert sum(name.startswith(f"{persona.name} ") and "card" not in name for name in names) >= 1

    @pytest.mark.parametrize("present", ["2026-11-22", "2026-12-20", "2028-02-09", "2027-02-09"])
    def test_the_gold_member_gets_a_birthday_gift_a_month_on_and_not_today(self, present):
        now = factories.moment(f"{present}T12:00")
        gift = birthday_gift.Settings(sku="GIFT", days_before=7, days_after=14)  # as in the demo's programme
        born = lives.birthday(now)

        window = gift.window(now, (born.month, born.day), "Europe/Amsterdam")

        assert now < window.starts_at
        assert window.starts_at <= now + timedelta(days=28) < now + timedelta(days=31) < window.ends_at


class TestATelling:
    def test_of_her_birthday_goes_over_her_settings_and_may_be_repeated(self, live_server, db):
        ada = personas.PERSONAS[0]
        member = factories.member(ada.name)
        member.user.email = ada.email
        member.user.set_password(ada.password)
        member.user.save()
        EmailAddress.objects.filter(user=member.user).delete()
        EmailAddress.objects.create(user=member.user, email=ada.email, verified=True, primary=True)

        for day in (date(1988, 12, 12), date(1988, 12, 13)):
            personas.tell_birthday(ada, live_server.url, day)

        member.refresh_from_db()
        assert member.birthday == date(1988, 12, 12)


class TestLivingIt:
    def test_begins_in_the_past_and_ends_at_the_present(self, lived):
        told = lived("first", "second")
        lives.begin()
        today = product_clock.wall().date()
        assert product_clock.now() < product_clock.wall() - timedelta(days=59)
        assert not lives.over()

        lives.live(lambda line: None)

        assert told == [
            ("first", (today - timedelta(days=60)).isoformat()),
            ("second", (today - timedelta(days=30)).isoformat()),
        ]
        assert abs(product_clock.now() - product_clock.wall()) < timedelta(seconds=5)
        assert lives.over()

    def test_goes_on_where_it_was_left_and_is_not_lived_twice(self, lived):
        told = lived("first", "second", fails="second")
        lives.begin()
        with pytest.raises(personas.Unexpected):
            lives.live(lambda line: None)
        stood = product_clock.now()

        lived("first", "second")
        lives.begin()
        assert product_clock.now() - stood < timedelta(minutes=1)
        lives.live(lambda line: None)
        assert [name for name, _ in told] == ["first", "second"]

        lives.begin()
        lives.live(lambda line: None)
        assert [name for name, _ in told] == ["first", "second"]

    def test_a_demo_whose_people_have_no_past_is_refused(self, lived):
        factories.user()

        with pytest.raises(CommandError, match="--fresh"):
            lives.begin()
