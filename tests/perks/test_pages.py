"""Perks on pages: the plans page, the portal, the API's page, the demo shop."""

import json

import pytest
from django.test import RequestFactory
from django.urls import reverse
from django.utils import translation

from membership import clock as product_clock
from membership import lifecycle, panels
from perks import api_docs, demo_shop, keys
from tests import factories


class TestPlansPage:
    def test_tells_what_each_tier_gets_in_plain_words(self, client, laurel):
        page = client.get(reverse("plans")).content.decode()
        assert page.count("Free standard delivery on every order") == 2
        for line in ("Every sale 48 hours before it opens to the public", "5 % off everything, always"):
            assert line in page

    def test_keeps_quiet_about_kinds_that_come_later(self, client, laurel):
        assert "workshop" not in client.get(reverse("plans")).content.decode()


class TestPortal:
    def shown(self, membership, clock):
        request = RequestFactory().get("/portal/")
        return panels.render("portal", request, member=membership.member, membership=membership, at=clock.now)

    def test_tells_the_perks_and_what_is_left_of_them(self, joined, clock):
        page = self.shown(joined("gold-year"), clock)
        assert "5 % off everything, always" in page
        assert "12 left" in page

    def test_tells_none_while_the_membership_does_not_count(self, joined, clock):
        membership = joined("gold-year")
        lifecycle.suspend(membership=membership, source="fraud", source_ref="x", at=clock.now, actor="staff:1")
        assert "What you have" not in self.shown(membership, clock)


class TestApiPage:
    def test_describes_every_call_and_every_problem_without_a_script(self, client, db):
        response = client.get("/api/v1/docs")
        page = response.content.decode()
        for call in api_docs._calls():
            assert f"{call.method} {call.path}" in page
            assert call.scope
        assert "basket.lines[].unit_amount" in page
        assert page.count("<script") == 1  # the site's own
        assert "cdn" not in page
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.fixture
def demo(live_server, settings, tmp_path, laurel, clock):
    """The demo's facts beside a server that answers the API."""
    settings.BASE_URL, settings.VIP_DATA = live_server.url, tmp_path
    key = keys.create(shop_name="Demo", scopes=["perks:check"], at=product_clock.now(), actor="test")
    member = factories.member(name="Ada Lovelace")
    plan = factories.plan("gold-year")
    membership = lifecycle.reserve(member=member, plan=plan, currency="EUR", at=clock.now, actor="system")
    lifecycle.add_term(membership=membership, source="paid", source_ref="t", plan=plan, at=clock.now, actor="stripe")
    facts = {"api_key": key, "members": [{"persona": "gold", "name": member.name, "number": member.number}]}
    (tmp_path / "demo.json").write_text(json.dumps(facts), encoding="utf-8")
    return facts


class TestDemoShop:
    def open(self, rf, **query):
        chosen = {"country": "NL", "method": "standard", "currency": "EUR", "COAT-9": "1", **query} if query else {}
        return demo_shop.shop(rf.get("/demo/shop/", chosen)).content.decode()

    def test_offers_the_personas_and_asks_nothing_yet(self, rf, demo):
        page = self.open(rf)
        assert "Ada Lovelace (gold)" in page
        assert "Nothing worked out yet" in page

    def test_shows_request_answer_and_total(self, rf, demo):
        page = self.open(rf, persona=demo["members"][0]["number"])
        assert "€\u00a0122.55" in page  # 129.00 - 5 %, delivery free
        assert "standing-discount: granted" in page
        assert "&quot;unit_amount&quot;: 12900" in page

    def test_works_in_yen_and_in_german(self, rf, demo):
        with translation.override("de"):
            page = self.open(rf, number=demo["members"][0]["number"], currency="JPY")
        assert "20.221\u00a0¥" in page  # 129.00 at 1.65 is ¥ 21,285; less 5 %, half-up

    def test_tells_when_the_api_refuses(self, rf, demo, settings):
        (settings.VIP_DATA / "demo.json").write_text('{"api_key": "wrong", "members": []}', encoding="utf-8")
        page = self.open(rf, number="1")
        assert "The API answered 401." in page

    def test_tells_when_the_api_cannot_be_reached(self, rf, demo, settings):
        settings.BASE_URL = "http://localhost:9"
        page = self.open(rf, number="1")
        assert "The till could not ask" in page

    def test_asks_for_a_number_where_none_was_given(self, rf, demo):
        assert "Type a member number." in self.open(rf, number="", persona="")

    def test_an_item_whose_sale_is_not_open_to_the_shopper_is_not_counted(self, rf, demo, clock):
        number = demo["members"][0]["number"]
        page = self.open(rf, number="1", **{"KNIT-7": "1"})
        assert "this sale opens for you on" in page
        assert "€\u00a0133.95" in page  # the coat and its delivery
        assert "&quot;KNIT-7&quot;" not in page
        assert "GET /api/v1/sales" in page

        page = self.open(rf, number=number, **{"KNIT-7": "1"})  # gold is in 48 hours before
        assert "this sale opens for you" not in page
        assert "early-access: granted" in page
        assert "€\u00a0178.60" in page  # both less 5 %, delivery free

    def test_speaks_of_early_access_only_where_something_is_on_sale(self, rf, demo):
        number = demo["members"][0]["number"]
        assert "early-access" not in self.open(rf, number=number).split("Asked")[0]

    def test_a_basket_of_nothing_else_pays_nothing(self, rf, demo):
        page = self.open(rf, number="1", **{"COAT-9": "0", "KNIT-7": "1"})
        assert "€\u00a00.00" in page
