"""What the perk API says to a request that it cannot understand: the status, the code and the field."""

import orjson
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


class TestNumbers:
    @pytest.mark.parametrize("amount", [b"12900.0", b"1.29e4"])
    def test_are_whole_however_they_are_written(self, shop, laurel, amount):
        body = orjson.dumps({"member": {"number": "1"}, "basket": basket()}).replace(b"12900", amount)
        response = shop.call("POST", "/perk-checks", body.replace(b'"quantity":1', b'"quantity":1.0'))
        assert response.status_code == 200, response.content
        assert response.json()["totals"]["lines"] == 12900

    @pytest.mark.parametrize("amount", [b'"12900"', b"true", b"1e300", b"12900.5"])
    def test_that_are_none_or_not_whole_are_refused(self, shop, laurel, amount):
        body = orjson.dumps({"member": {"number": "1"}, "basket": basket()}).replace(b"12900", amount)
        response = shop.call("POST", "/perk-checks", body)
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == "basket.lines.0.unit_amount"


def test_a_shop_whose_address_the_server_does_not_tell_is_served(client, shop, laurel):
    """Behind a proxy on a Unix socket there is none."""
    headers = {"Authorization": f"Bearer {shop.key}"}
    assert client.get("/api/v1/perks", headers=headers, REMOTE_ADDR="").status_code == 200


def test_the_document_says_who_may_be_asked_about(client):
    """What code refuses besides the fields' own types stands in the schema too, so that clients can know."""
    schemas = client.get("/api/v1/openapi.json").json()["components"]["schemas"]
    assert [rule["required"] for rule in schemas["MemberIn"]["oneOf"]] == [
        ["number"],
        ["card"],
        ["customer_ref"],
        ["email"],
    ]
    assert [rule["required"] for rule in schemas["CheckIn"]["anyOf"]] == [["member"], ["if_joined"]]
