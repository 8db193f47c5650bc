"""The contract with the installed SDK: what it catches, and that every endpoint here is one of the SDK's."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from billing.emulator import api, contract, routing, store
from billing.emulator.contract import params, routes

ENDPOINTS = sorted(routing.announced())
FOLDER = Path(api.__file__).parent


@pytest.fixture
def subscription(bought):
    return copy.deepcopy(store.get("subscription", bought.subscription.id).data)


def check(body):
    contract.check_answer("GET", f"/v1/subscriptions/{body['id']}", body)


class TestAnAnswer:
    def test_that_is_right_passes(self, subscription):
        check(subscription)

    @pytest.mark.parametrize(
        ("spoil", "words"),
        [
            (lambda s: s.update(colour="blue"), "colour: not a field of Subscription"),
            (lambda s: s.update(current_period_end=1), "current_period_end: not a field"),
            (lambda s: s.pop("currency"), "currency: missing"),
            (lambda s: s.update(created="now"), "created: str 'now', expected int"),
            (lambda s: s.update(status="sleeping"), "status: 'sleeping' is not one of"),
            (lambda s: s["items"]["data"][0].update(colour="blue"), r"items.data\[0\].colour: not a field"),
            (lambda s: s["items"]["data"][0]["price"].pop("product"), r"items.data\[0\].price.product: missing"),
            (lambda s: s.update(metadata=None), "metadata: null, expected an object"),
        ],
    )
    def test_that_is_wrong_is_named(self, subscription, spoil, words):
        spoil(subscription)
        with pytest.raises(contract.ContractBroken, match=words):
            check(subscription)


class TestAnEvent:
    @pytest.fixture
    def event(self, api, ada):
        return copy.deepcopy(store.get("event", api.events.list().data[0].id).data)

    def test_of_an_unknown_type_is_named(self, event):
        event["type"] = "customer.promoted"
        with pytest.raises(contract.ContractBroken, match=r"type: 'customer.promoted' is not one of"):
            contract.check_event(event)

    def test_has_former_values_only_when_it_is_an_update(self, event):
        event["data"]["previous_attributes"] = {}
        with pytest.raises(contract.ContractBroken, match=r"only \*.updated events have it"):
            contract.check_event(event)


@pytest.mark.parametrize(("verb", "path"), ENDPOINTS)
def test_every_endpoint_is_one_of_the_sdk_and_its_parameters_can_be_read(verb, path):
    route = routes.find(verb, path)
    assert route is not None
    _, problems = params.parse(route, {"no_such_parameter": "1"})
    assert "no_such_parameter" in [problem.param for problem in problems]


def test_every_module_with_endpoints_is_known_to_the_api():
    announcing = {path.stem for path in FOLDER.glob("*.py") if "\n@endpoint(" in path.read_text(encoding="utf-8")}
    assert announcing <= {module.__name__.rpartition(".")[2] for module in api.MODULES}
