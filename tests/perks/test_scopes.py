"""Scope by route, from the resolver: each address of the API refuses each key that lacks its scope, in each method."""

from collections.abc import Iterator

import pytest
from django.urls import URLResolver, get_resolver

from perks import keys
from perks.api_docs import SCOPES

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OPEN = {"openapi-json", "api-root", "api-docs"}  # what describes the API, and says nothing of anybody


def walked(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, str]]:
    """-> (address, name) of every route that there is."""
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern).removeprefix("^")
        if isinstance(pattern, URLResolver):
            yield from walked(pattern, route)
        else:
            yield route, str(pattern.name)


ROUTES = sorted(found for found in walked(get_resolver()) if found[0].startswith("api/"))


def address(route: str) -> str:
    """With something in each place: /api/v1/members/x1."""
    parts = ["x1" if part.startswith("<") else part for part in route.removeprefix("api/v1").split("/")]
    return "/".join(parts)


def test_every_call_says_which_scope_it_needs():
    assert {name for _, name in ROUTES} - OPEN == set(SCOPES)
    assert set(SCOPES.values()) == set(keys.SCOPES)


@pytest.mark.parametrize(("route", "name"), [found for found in ROUTES if found[1] not in OPEN])
class TestACall:
    def methods(self, shop, route: str, header: str = "") -> list[str]:
        """Those that there are; asked without a key, each of them says no."""
        told = {method: shop.call(method, address(route), {}, Authorization=header) for method in METHODS}
        found = [method for method, response in told.items() if response.status_code != 405]
        for method in found:
            assert (told[method].status_code, told[method].json()["code"]) == (401, "invalid_key")
            assert told[method].headers["WWW-Authenticate"] == "Bearer"
        return found

    @pytest.mark.parametrize(
        "header", ["Basic abc", "Bearer", "Bearer x", "Bearer vip_test_abcdefgh_" + "A" * 43, "Bearer vip_live_x"]
    )
    def test_opens_to_nothing_that_is_no_key(self, shop, route, name, header):
        assert self.methods(shop, route, header)

    def test_refuses_a_key_that_has_every_other_scope(self, shop, clock, route, name):
        others = [scope for scope in keys.SCOPES if scope != SCOPES[name]]
        found = self.methods(shop, route)
        shop.key = keys.create(shop_name="Every other scope", scopes=others, at=clock.now, actor="test")
        for method in found:
            response = shop.call(method, address(route), {})
            assert (response.status_code, response.json()["code"]) == (403, "missing_scope")
            assert SCOPES[name] in response.json()["detail"]

    def test_opens_to_a_key_that_has_no_other_scope(self, shop, laurel, clock, route, name):
        found = self.methods(shop, route)
        assert found
        shop.key = keys.create(shop_name="One scope", scopes=[SCOPES[name]], at=clock.now, actor="test")
        for method in found:
            assert shop.call(method, address(route), {}).status_code not in {401, 403, 405}
