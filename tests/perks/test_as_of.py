"""X-Member-Clock through the door: another moment, of calls that change nothing, with test keys only."""

import re
from datetime import timedelta

import pytest

from membership import lifecycle
from perks import as_of, decisions, keys
from perks.models import Decision
from tests import invariants
from tests.perks.conftest import basket, number

TAKE_IT = {"check_perks", "get_member", "list_sales", "get_sale"}


def reason(shop, perk, membership, when):
    asked = {"member": number(membership), "basket": basket(), "perks": [perk]}
    answer = shop.call("POST", "/perk-checks", asked, X_Member_Clock=when.isoformat()).json()
    return answer["decisions"][0]["reason"]


class TestAnotherMoment:
    @pytest.mark.parametrize(
        ("days", "expected"),
        [(-1, "membership_pending"), (0, "granted"), (366, "granted"), (400, "membership_lapsed")],
    )
    def test_is_answered_for_by_what_is_known_now(self, shop, joined, clock, days, expected):
        membership = joined("gold-year")
        assert reason(shop, "free-shipping", membership, clock.now + timedelta(days=days)) == expected

    def test_long_past_is_that_of_the_term_it_lay_in(self, shop, joined, clock):
        membership = joined("silver-year")
        then = clock.now + timedelta(days=10)
        clock.move(days=366)
        lifecycle.add_term(
            membership=membership, source="paid", source_ref="in_2", plan=membership.plan, at=clock.now, actor="stripe"
        )
        clock.move(days=30)
        told = shop.call("GET", f"/members/{membership.member.number}", X_Member_Clock=then.isoformat()).json()
        assert (told["standing"], told["next_change"]) == ("current", "2027-03-02T10:00:00Z")

    def test_opens_sales_then(self, shop, joined, clock):
        path = f"/sales?member={joined('silver-year').member.number}"
        assert len(shop.call("GET", path).json()) == 1
        assert shop.call("GET", path, X_Member_Clock="2026-06-01T00:00:00Z").json() == []

    def test_is_kept_with_the_check_and_concerns_no_rule_about_what_was_answered(self, shop, joined, clock):
        membership = joined()
        clock.move(hours=2)
        lifecycle.suspend(membership=membership, source="fraud", source_ref="x", at=clock.now, actor="staff:1")
        then = clock.now - timedelta(hours=1)
        clock.move(minutes=1)
        asked = {"member": number(membership), "perks": ["concierge"]}
        answer = shop.call("POST", "/perk-checks", asked, X_Member_Clock=then.isoformat()).json()
        assert (answer["member"]["standing"], answer["decided_at"]) == ("current", "2026-03-02T11:00:00Z")
        replay = shop.call("GET", f"/perk-checks/{answer['id']}").json()
        assert replay["as_of"] == "2026-03-02T11:00:00Z"
        assert replay["today"]["member"]["standing"] == "suspended"
        assert Decision.objects.get().decided_at == clock.now
        assert "I5" not in invariants.breached()
        Decision.objects.update(as_of=None)
        assert "I5" in invariants.breached()  # as if it had been answered of the present

    def test_is_no_reason_to_ask_about_an_awaited_payment(self, shop, joined, clock, monkeypatch):
        told = []
        monkeypatch.setattr(decisions, "renewal_is_awaited", told.append)
        reason(shop, "free-shipping", joined(), clock.now + timedelta(days=368))
        assert told == []


class TestRefused:
    @pytest.mark.parametrize("told", ["", "yesterday", "2026-03-02T10:00:00", "9999-12-31T23:59:59-05:00", "1234"])
    def test_what_is_no_moment_with_a_zone(self, shop, laurel, told):
        refused = shop.call("POST", "/perk-checks", {"member": {"number": "1"}}, X_Member_Clock=told)
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_member_clock")

    def test_on_every_call_that_does_not_take_it(self, shop, client):
        paths = client.get("/api/v1/openapi.json").json()["paths"]
        for path, calls in paths.items():
            for method, operation in calls.items():
                if operation["operationId"] in TAKE_IT:
                    continue
                place = re.sub(r"{\w+}", "x1", path.removeprefix("/api/v1"))
                refused = shop.call(method.upper(), place, {}, X_Member_Clock="2026-03-02T10:00:00Z")
                assert (refused.status_code, refused.json()["code"]) == (403, "member_clock_refused"), path

    @pytest.mark.parametrize("route", [("POST", "/perk-checks"), ("GET", "/sales"), ("GET", "/perks")])
    def test_in_production_on_every_call(self, shop, laurel, settings, clock, route):
        settings.PRODUCTION = True
        shop.key = keys.create(shop_name="Live", scopes=list(keys.SCOPES), at=clock.now, actor="test")
        assert shop.key.startswith("vip_live_")
        refused = shop.call(*route, {"member": {"number": "1"}}, X_Member_Clock="2026-03-02T10:00:00Z")
        assert (refused.status_code, refused.json()["code"]) == (403, "member_clock_refused")
        assert "never in production" in refused.json()["detail"]

    def test_is_declared_in_the_schema_of_those_that_take_it(self, client):
        schema = client.get("/api/v1/openapi.json").json()
        declared = {
            operation["operationId"]
            for path in schema["paths"].values()
            for operation in path.values()
            if any(p["name"] == "X-Member-Clock" for p in operation.get("parameters", []))
        }
        assert declared == TAKE_IT
        assert as_of.DECLARED["parameters"][0]["name"] == "X-Member-Clock"
