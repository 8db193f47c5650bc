"""A manager asks another price: Stripe can charge it first, newcomers pay it, and who joined before keeps theirs."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest

from billing import gateway, prices
from billing.emulator import faults
from billing.models import Payment, StripePrice
from membership import pricing
from membership.models import AuditEntry, Plan, Price
from tests.billing.conftest import come_back, go_to_pay, pay, renews_at
from tests.billing.test_races import at_once
from tests.console import clerks
from tests.console.test_today import confirm

pytestmark = pytest.mark.django_db(transaction=True)
AT = "/console/catalogue/plans/gold-year/price/"
SENT = {"currency": "EUR", "amount": "129", "reason": "dearer perks"}


@pytest.fixture
def desk(on_sale):
    return clerks.at_desk(clerks.hired("manager", "Mara Voss"))


def text(answer) -> str:
    """The page, whatever its status."""
    return " ".join(html.unescape(answer.content.decode()).split())


def gold() -> Plan:
    return Plan.objects.get(code="gold-year")


def asked() -> int:
    return Price.objects.get(plan__code="gold-year", currency="EUR", retired_at=None).amount


class TestAnotherPrice:
    def test_is_told_then_charged_to_who_comes_and_not_to_who_is_there(self, joined, desk, live, client):
        shown = text(desk.post(AT, SENT))
        assert "costs € 129.00 from now on, instead of € 119.00" in shown
        assert "Who holds € 119.00 keeps it at every renewal: 1 now." in shown
        assert asked() == 11900
        assert confirm(desk, AT, **SENT).status_code == 302
        assert asked() == 12900
        assert "129" in text(client.get("/plans/?currency=EUR"))
        made = gateway.client().v1.prices.retrieve(StripePrice.objects.get(price__amount=12900).stripe_id)
        assert (made.unit_amount, made.lookup_key) == (12900, "gold-year-eur-12900")
        live(renews_at() + timedelta(hours=2))
        assert list(Payment.objects.order_by("pk").values_list("captured", flat=True)) == [11900, 11900]
        data = AuditEntry.objects.get(verb="change_price").data
        assert (data["was"], data["is"], data["reason"]) == (11900, 12900, "dearer perks")

    def test_is_what_a_newcomer_pays(self, desk, visitor):
        confirm(desk, AT, **SENT)
        pay(go_to_pay(visitor))
        come_back(visitor)
        assert Payment.objects.get().captured == 12900

    def test_is_shown_to_who_had_read_another_before_they_pay(self, desk, visitor):
        page = visitor.get("/checkout/gold-year/").context["form"]
        confirm(desk, AT, **SENT)
        answer = visitor.post("/checkout/gold-year/", {"agree": "on", "read": page["read"].value()})
        assert answer.status_code == 409
        assert "The price has changed since you opened this page" in text(answer)
        assert "Go and pay € 129" in text(answer)
        again = answer.context["form"]["read"].value()
        assert visitor.post("/checkout/gold-year/", {"agree": "on", "read": again}).status_code == 302

    def test_of_old_is_the_old_one_again(self, joined, desk):
        confirm(desk, AT, **SENT)
        confirm(desk, AT, **SENT | {"amount": "119"})
        assert (asked(), Price.objects.filter(plan=gold(), currency="EUR").count()) == (11900, 2)

    def test_changes_nothing_while_stripe_is_silent(self, desk):
        mark = desk.post(AT, SENT).context["mark"]
        with faults.next_call("POST /v1/prices", lost="request", times=9):
            answer = desk.post(AT, SENT | {"confirmed": mark})
        assert (answer.status_code, asked()) == (503, 11900)
        assert desk.post(AT, SENT | {"confirmed": mark}).status_code == 302
        assert asked() == 12900

    def test_made_at_stripe_by_an_answer_that_was_lost_is_found_again(self, desk):
        mark = desk.post(AT, SENT).context["mark"]
        with faults.next_call("POST /v1/prices", lost="answer"):
            desk.post(AT, SENT | {"confirmed": mark})
        if asked() != 12900:
            desk.post(AT, SENT | {"confirmed": mark})
        assert asked() == 12900
        found = gateway.read_all(gateway.client().v1.prices.list, {"lookup_keys": ["gold-year-eur-12900"]})
        assert len(found) == 1


class TestRefused:
    @pytest.mark.parametrize(
        ("amount", "said"),
        [
            ("119", "This is what it costs already."),
            ("0", "given, not sold"),
            ("119.005", "no such small coins"),
            ("", "required"),
        ],
    )
    def test_with_the_reason_in_words(self, desk, amount, said):
        answer = desk.post(AT, SENT | {"amount": amount})
        assert (answer.status_code, said in text(answer)) == (422, True), text(answer)
        assert asked() == 11900

    def test_or_asked_whether_it_is_meant(self, desk):
        assert "more than double, or less than half" in text(desk.post(AT, SENT | {"amount": "12.90"}))
        assert "more than double" not in text(desk.post(AT, SENT))

    def test_to_who_read_another_one(self, desk):
        mark = desk.post(AT, SENT).context["mark"]
        confirm(desk, AT, **SENT | {"amount": "125"})
        assert desk.post(AT, SENT | {"confirmed": mark}).status_code == 409
        assert asked() == 12500


class TestTwoAtOnce:
    def acts(self, clock):
        was = pricing.live(gold(), "EUR")
        asked = {"plan": gold(), "currency": "EUR", "was": was, "at": clock.now}
        return [lambda a=a: prices.change(**asked, amount=a, actor=f"staff:{a}") for a in (12500, 12900)]

    def test_one_is_on_sale_and_the_other_is_told(self, on_sale, clock):
        answers = at_once(*self.acts(clock))
        assert sorted(type(one).__name__ for one in answers) == ["Overtaken", "Price"]
        assert Price.objects.filter(plan=gold(), currency="EUR", retired_at=None).count() == 1

    def test_twin_without_the_look_the_later_wins_unseen(self, on_sale, clock, monkeypatch):
        first, second = self.acts(clock)
        first()
        monkeypatch.setattr(pricing, "change", lambda *, was, actor, **asked: pricing.put(*asked.values()))
        assert type(second()).__name__ == "Price"


class TestAPlanOffSale:
    def test_is_joined_by_nobody_and_kept_by_who_holds_it(self, joined, desk, live, client):
        at = AT.replace("price", "sale")
        assert "€ 119" in text(client.get("/plans/"))
        shown = text(desk.post(at, {"reason": "too much work"}))
        assert "Who holds it keeps it and renews: 1 now." in shown
        assert confirm(desk, at, reason="too much work").status_code == 302
        assert "€ 119" not in text(client.get("/plans/"))
        assert joined.get("/checkout/gold-year/").status_code == 404
        live(renews_at() + timedelta(hours=2))
        assert Payment.objects.count() == 2
        assert confirm(desk, at, reason="back again").status_code == 302
        assert "€ 119" in text(client.get("/plans/"))
        verbs = AuditEntry.objects.filter(verb="offer_plan").order_by("pk")
        assert [entry.data["on_sale"] for entry in verbs] == [False, True]
