"""What the perk API says to a request that it cannot understand: the status, the code and the field."""

import pytest

from tests.perks.conftest import basket


class TestBadRequests:
    @pytest.mark.parametrize(
        ("question", "field"),
        [
            ({}, "member"),
            ({"member": {}}, "member"),
            ({"member": {"number": "1", "card": "x"}}, "member"),
            ({"member": {"number": "1"}, "baskets": {}}, "baskets"),
            ({"member": {"number": "1"}, "basket": basket(currency="euro")}, "basket.currency"),
            ({"member": {"number": "1"}, "basket": {"lines": []}}, "basket.currency"),
            ({"member": {"number": "1"}, "basket": basket(lines=[{"id": "1"}])}, "basket.lines.0.sku"),
            (
                {"member": {"number": "1"}, "basket": basket(lines=[basket()["lines"][0] | {"quantity": 0}])},
                "basket.lines.0.quantity",
            ),
            (
                {"member": {"number": "1"}, "basket": basket(lines=[basket()["lines"][0] | {"unit_amount": 1.5}])},
                "basket.lines.0.unit_amount",
            ),
            (
                {"member": {"number": "1"}, "basket": basket(lines=[basket()["lines"][0] | {"unit_amount": -1}])},
                "basket.lines.0.unit_amount",
            ),
            (
                {"member": {"number": "1"}, "basket": basket(lines=[basket()["lines"][0] | {"unit_amount": 10**13}])},
                "basket.lines.0.unit_amount",
            ),
            ({"member": {"number": "1"}, "basket": basket(lines=basket()["lines"] * 2)}, "basket"),
            ({"member": {"number": "1"}, "perks": "all"}, "perks"),
        ],
    )
    def test_that_cannot_be_understood_name_the_field(self, shop, question, field):
        response = shop.call("POST", "/perk-checks", question)
        problem = response.json()
        assert (response.status_code, response.headers["Content-Type"]) == (422, "application/problem+json")
        assert (problem["code"], problem["status"]) == ("invalid_request", 422)
        assert field in [e["field"] for e in problem["errors"]]

    def test_with_an_unknown_plan(self, shop, laurel):
        response = shop.call("POST", "/perk-checks", {"if_joined": "platinum-year"})
        assert (response.status_code, response.json()["code"]) == (422, "unknown_plan")

    @pytest.mark.parametrize("body", [b"{", b"\xff", b'{"member": NaN}'])
    def test_that_are_not_json(self, shop, body):
        response = shop.call("POST", "/perk-checks", body)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_json")

    def test_without_a_body_are_told_so(self, shop):
        response = shop.call("POST", "/perk-checks", b"")
        assert (response.status_code, response.json()["detail"]) == (422, "Field required")

    def test_that_are_too_big(self, shop):
        response = shop.call("POST", "/perk-checks", b" " * 600_000)
        assert (response.status_code, response.json()["code"]) == (413, "body_too_big")

    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/perk-checks", 405, "method_not_allowed"),
            ("DELETE", "/members/1", 405, "method_not_allowed"),
            ("GET", "/nothing", 404, "not_found"),
            ("GET", "/", 404, "not_found"),
            ("GET", "/perk-checks/chk_unknown", 404, "unknown_check"),
            ("GET", "/members/1", 404, "unknown_member"),
        ],
    )
    def test_to_the_wrong_door(self, shop, method, path, status, code):
        response = shop.call(method, path)
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert response.headers["Content-Type"] == "application/problem+json"
