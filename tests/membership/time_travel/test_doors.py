"""Moving the demo's clock from the bar on its pages and by its command; a product that takes money has neither."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command

from membership import clock as product_clock
from membership import moments, time_travel
from tests import demo_urls, factories
from tests.test_settings import PRODUCTION

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(settings, world, bells):
    """The demo's own clock and route."""
    settings.VIP_MODE, settings.VIP_CLOCK = "demo", "membership.clock.demo"
    settings.ROOT_URLCONF = demo_urls.__name__  # imported above: what stands in it depends on the mode of that moment


class TestTheBar:
    def press(self, client, by: str, **more: str):
        return client.post("/demo/time/", {"by": by, "next": "/plans/", **more}, follow=True)

    def test_is_on_a_page_and_leads_back_to_it(self, client, demo):
        page = client.get("/plans/?currency=USD").content.decode()
        assert 'action="/demo/time/"' in page
        assert 'value="/plans/?currency=USD"' in page

        before = product_clock.now()
        answer = self.press(client, "day")

        assert answer.redirect_chain == [("/plans/", 302)]
        assert timedelta(days=1) <= product_clock.now() - before < timedelta(days=1, minutes=1)
        assert "Here it is" in answer.content.decode()

    def test_a_month_is_a_month_of_the_calendar(self, client, demo):
        product_clock.turn_to(factories.moment("2028-01-31T10:00"))

        self.press(client, "month")

        assert f"{product_clock.now():%Y-%m-%d %H}" == "2028-02-29 10"

    def test_says_when_there_is_no_renewal_to_go_to(self, client, demo):
        before = product_clock.now()

        assert "No renewal is awaited" in self.press(client, "renewal").content.decode()
        assert product_clock.now() - before < timedelta(minutes=1)

    def test_goes_to_the_renewal_of_whoever_is_logged_in_else_to_the_next_one(self, client, demo, joined_gold):
        charged = joined_gold.terms.get().ends_at + moments.CHARGED_AFTER
        product_clock.turn_to(charged - timedelta(days=300))
        client.force_login(joined_gold.member.user, "allauth.account.auth_backends.AuthenticationBackend")

        self.press(client, "renewal")

        assert timedelta() <= product_clock.now() - charged < timedelta(minutes=1)

    def test_tells_the_second_of_two_that_time_moves_already(self, client, demo):
        with time_travel._alone(product_clock.now(), product_clock.now() + timedelta(days=30)):
            answer = self.press(client, "day").content.decode()
            asked = client.get("/demo/time/").json()

        assert "Time is being moved already" in answer
        assert "Time is moving to" in answer
        assert asked["moving"] is True

    def test_tells_what_keeps_time_from_going_on(self, client, demo, world, monkeypatch):
        monkeypatch.setattr(time_travel, "PATIENCE", 0.0)
        world.stuck = "invoice.paid for nobody"

        assert "invoice.paid for nobody" in self.press(client, "day").content.decode()

    def test_leads_to_no_other_house(self, client, demo):
        answer = client.post("/demo/time/", {"by": "day", "next": "https://elsewhere.example/"})

        assert answer["Location"] == "/"

    def test_is_on_no_page_of_another_mode(self, client):
        assert "demo-bar" not in client.get("/plans/").content.decode()
        assert client.post("/demo/time/").status_code == 404


def test_production_has_no_such_route():
    """Asked of a process that was started as in production."""
    ask = (
        "import django; django.setup(); from django.urls import get_resolver;"
        "print([str(one.pattern) for one in get_resolver().url_patterns])"
    )
    environment = {**os.environ, **PRODUCTION, "VIP_CLOCK": "", "DJANGO_SETTINGS_MODULE": "membership.settings"}
    told = subprocess.run(
        [sys.executable, "-c", ask], cwd=configured.ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout

    assert "'plans/'" in told
    for start in ("'demo/", "'dev/", "'stripe/"):
        assert start not in told


class TestTheCommand:
    def test_moves_by_days(self, demo):
        before = product_clock.now()

        call_command("move_time", "--days=2")

        assert timedelta(days=2) <= product_clock.now() - before < timedelta(days=2, minutes=1)

    def test_moves_to_a_day(self, demo):
        call_command("move_time", "--to=2099-03-02")

        assert f"{product_clock.now():%Y-%m-%d}" == "2099-03-02"

    def test_refuses_the_past_and_any_clock_but_a_demos(self, demo, settings):
        with pytest.raises(CommandError, match="forward"):
            call_command("move_time", "--to=1999-01-01")
        with pytest.raises(CommandError, match="No renewal"):
            call_command("move_time", "--next-renewal")
        settings.VIP_CLOCK = "tests.moment.now"
        with pytest.raises(CommandError, match="Only a demo's clock"):
            call_command("move_time", "--days=1")
