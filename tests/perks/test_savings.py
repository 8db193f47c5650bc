"""The savings statement: from the ledger alone, and it adds up to it."""

import re
from datetime import timedelta

import pytest

from membership import households, lifecycle
from perks import ledger, savings
from tests import factories
from tests.perks.conftest import basket, number


def uses(shop, membership, *perks, order, **changes):
    """An order that was paid; the redemption."""
    check = shop.check(member=number(membership), basket=basket(**changes))
    body = {"check": check["id"], "order": order, "perks": list(perks)}
    held = shop.call("POST", "/redemptions", body, Idempotency_Key=order)
    assert held.status_code == 200, held.content
    ident = held.json()["id"]
    assert shop.call("POST", f"/redemptions/{ident}/commit", {}).status_code == 200
    return ident


def renewed(membership, clock):
    term = membership.terms.order_by("-starts_at").first()
    clock.move_to(term.ends_at)
    lifecycle.add_term(
        membership=membership, source="paid", source_ref="in_next", plan=membership.plan, at=clock.now, actor="stripe"
    )


def total(periods):
    return sum(worth for period in periods for worth, _currency in period.totals)


class TestStatement:
    def test_tells_each_term_the_newest_first_and_adds_up_to_the_ledger(self, shop, joined, clock):
        membership = joined("gold-year")
        uses(shop, membership, "free-shipping", "standing-discount", order="1")
        clock.move(days=40)
        uses(shop, membership, "free-shipping", order="2")
        renewed(membership, clock)
        uses(shop, membership, "standing-discount", "alterations", order="3")
        now, before = savings.statement(membership.member, at=clock.now)
        assert [(line.name, line.uses, line.worth) for line in now.lines] == [
            ("Alterations", 1, 2500),
            ("Standing discount", 1, 645),
        ]
        assert [(line.name, line.uses, line.worth) for line in before.lines] == [
            ("Free delivery", 2, 990),
            ("Standing discount", 1, 645),
        ]
        told = ledger.savings(member=membership.member, since=savings.ALWAYS, until=savings.NEVER)
        assert total([now, before]) == sum(one.worth for one in told) == 4780

    def test_tells_a_use_in_grace_with_the_term_before_it(self, shop, joined, clock):
        membership = joined("gold-year")
        clock.move(days=368)
        uses(shop, membership, "free-shipping", order="1")
        (period,) = savings.statement(membership.member, at=clock.now)
        assert period.totals == [(495, "EUR")]

    def test_takes_off_what_was_sent_back(self, shop, joined, clock):
        membership = joined("gold-year")
        two = {"lines": [{"id": "1", "sku": "COAT-9", "quantity": 2, "unit_amount": 12900}]}
        ident = uses(shop, membership, "standing-discount", order="1", **two)
        back = {"lines": [{"id": "1", "quantity": 1}]}
        shop.call("POST", f"/redemptions/{ident}/return", back, Idempotency_Key="back")
        (period,) = savings.statement(membership.member, at=clock.now)
        assert period.totals == [(645, "EUR")]

    def test_keeps_currencies_apart(self, shop, joined, clock):
        membership = joined("gold-year")
        uses(shop, membership, "standing-discount", order="1")
        uses(shop, membership, "standing-discount", order="2", currency="JPY")
        (period,) = savings.statement(membership.member, at=clock.now)
        assert sorted(period.totals) == [(645, "EUR"), (645, "JPY")]

    def test_of_a_seat_is_the_holders_own(self, shop, joined, clock):
        membership, holder = joined("gold-year"), factories.member()
        households.open_seat(membership=membership, holder=holder, at=clock.now, actor="staff:1")
        check = shop.check(member={"number": holder.number}, basket=basket())
        body = {"check": check["id"], "order": "1", "perks": ["free-shipping"]}
        ident = shop.call("POST", "/redemptions", body, Idempotency_Key="1").json()["id"]
        shop.call("POST", f"/redemptions/{ident}/commit", {})
        assert total(savings.statement(holder, at=clock.now)) == 495
        assert total(savings.statement(membership.member, at=clock.now)) == 0


class TestPages:
    @pytest.fixture
    def ada(self, shop, joined, client):
        membership = joined("gold-year")
        client.force_login(membership.member.user)
        return membership

    def test_show_every_use_and_the_sum(self, shop, ada, client):
        uses(shop, ada, "free-shipping", "standing-discount", order="L-17")
        page = client.get("/portal/savings/").content.decode()
        assert page.count("order L-17") == 2
        assert "€\u00a011.40" in page
        assert "Gold, since 2 March 2026" in page

    def test_tell_in_the_portal_what_was_saved_what_is_left_and_until_when(self, shop, ada, client):
        uses(shop, ada, "standing-discount", "alterations", order="1")
        page = re.sub(r"\s+", " ", client.get("/portal/").content.decode().replace("\u00a0", " "))
        assert 'Saved since 2 March 2026: <strong class="nowrap">€ 31.45</strong>' in page
        assert "1 left, until 2 March 2027" in page

    def test_say_what_will_stand_there(self, client, db):
        client.force_login(factories.member().user)
        assert "its worth stands here" in client.get("/portal/savings/").content.decode()

    def test_are_for_who_is_logged_in(self, client, db):
        assert client.get("/portal/savings/").headers["Location"] == "/account/login/?next=/portal/savings/"


def test_a_term_that_has_not_begun_is_not_told_of(joined, clock):
    membership = joined("gold-year")
    lifecycle.add_term(
        membership=membership, source="paid", source_ref="ahead", plan=membership.plan, at=clock.now, actor="stripe"
    )
    assert len(savings.statement(membership.member, at=clock.now + timedelta(days=1))) == 1
