"""The perk API against its own OpenAPI document: thousands of requests that fit it and that do not, with a key for
everything and ids of members, cards, checks, redemptions and sales that are there. Every answer must be one that the
document tells, and every call must have worked at least once.

Twins: a planted fault each (a crash, a wrong type, a door without a lock, a status untold) must be found.
"""

from __future__ import annotations

import pytest
from schemathesis.checks import CHECKS

from membership import card_token, cards, lifecycle
from membership import clock as product_clock
from membership.api import api
from membership.problems import Problem
from perks import confirmations, keys, members, programme, sales
from perks.auth import ApiKeyAuth, Caller
from perks.models import ApiKey
from tests import factories
from tests.perks.conftest import Shop, basket
from tests.storms import fuzzing

pytestmark = [pytest.mark.storm, pytest.mark.django_db(transaction=True)]
EXAMPLES = 150  # an operation, besides the thousand that each run makes in any case
PERKS = ["free-shipping", "standing-discount", "concierge"]


@pytest.fixture
def ids(clock, client) -> dict[str, list[str]]:
    """What is there to be asked about, and the key to ask with."""
    programme.load(programme=programme.read("laurel"), at=clock.now)
    key = keys.create(shop_name="Loden & Sons", scopes=list(keys.SCOPES), at=clock.now, actor="test")
    shop, people = Shop(client, key), [_member(n) for n in range(3)]
    checks = [_check(shop, people[n % 3]) for n in range(120)]
    redemptions = [shop.hold(check, "free-shipping", "standing-discount") for check in checks[:24]]
    for held in redemptions[8:16]:
        shop.commit(held)
    for held in redemptions[16:20]:
        shop.release(held)
    asked = [
        shop.done(shop.call("POST", "/email-confirmations", {"email": who.user.email}))["id"]
        for who in people
        for _ in range(2)
    ]
    return {
        "key": [key],
        "numbers": [who.number for who in people],
        "cards": [card_token.issue(cards.issue(member=who, at=clock.now, actor="test").pk) for who in people],
        "checks": [check["id"] for check in checks],
        "redemptions": [held["id"] for held in redemptions],
        "lines": ["1", "2"],
        "confirmations": asked,
        "codes": [confirmations.code_of(ident) for ident in asked],
        "sales": ["winter-sale"],
        "perks": PERKS,
        "plans": ["gold-year"],
    }


def _member(n: int):
    """Somebody with a year of gold, paid in cash."""
    at, plan = product_clock.now(), factories.plan("gold-year")
    who = factories.member(f"Person {n}", at=at)
    membership = lifecycle.reserve(member=who, plan=plan, currency="EUR", at=at, actor="staff:1")
    lifecycle.add_term(
        membership=membership, source="offline", source_ref=f"cash:{n}", plan=plan, at=at, actor="staff:1"
    )
    return who


def _check(shop: Shop, who):
    lines = [
        {"id": "1", "sku": "A", "quantity": 3, "unit_amount": 3333},
        {"id": "2", "sku": "B", "quantity": 2, "unit_amount": 101},
    ]
    return shop.check(member={"number": who.number}, basket=basket(lines=lines), perks=PERKS)


@pytest.fixture
def fuzz(ids, monkeypatch):
    """fuzz(seed, examples=…, only=[…]) -> what it saw"""
    fuzzing.mend_the_tool(monkeypatch)
    (key,) = ids.pop("key")

    def play(seed: int, *, examples: int, only: tuple[str, ...] = ()) -> fuzzing.Run:
        fuzzing.without_chance(monkeypatch, seed)
        return fuzzing.play(fuzzing.configured(key=key, ids=ids, seed=seed, examples=examples), only=only)

    return play


def operations() -> set[str]:
    return {
        operation["operationId"] for path in api.get_openapi_schema()["paths"].values() for operation in path.values()
    }


def all_checks() -> set[str]:
    """All but a limit of milliseconds (there is none: a shared machine's are no fault of ours). One of them, that of
    other people's objects, has nothing to judge with one key; tests/perks/test_scopes.py asks that of every route."""
    return set(CHECKS.get_all_names()) - {"max_response_time"}


def test_every_answer_is_one_that_the_document_tells(fuzz, share):
    for seed in share.seeds(ci=1, full=7):
        run = fuzz(seed, examples=EXAMPLES)
        assert not run.findings, f"seed {seed}, {len(run.findings)} findings:\n" + "\n\n".join(run.findings[:20])
        assert run.reached() == operations(), f"seed {seed}: without a 2xx {operations() - run.reached()}"
        assert run.checks == all_checks(), f"seed {seed}: never judged {all_checks() - run.checks}"
        assert run.requests > 1500, f"seed {seed}: only {run.requests} requests"


def crashes(monkeypatch):
    real = cards.check

    def check(token, *, at):
        return real(token, at=at) if len(token) < 300 else int(token)

    monkeypatch.setattr(cards, "check", check)


def tells_a_number_for_a_name(monkeypatch):
    monkeypatch.setattr(members, "catalogue", lambda: [{"perk": "p", "kind": "service", "name": 7, "tiers": {}}])


def lets_anybody_in(monkeypatch):
    shop = ApiKey.objects.get().shop_id
    caller = Caller(key=ApiKey.objects.get().pk, shop=shop, scopes=frozenset(keys.SCOPES))
    monkeypatch.setattr(ApiKeyAuth, "__call__", lambda self, request: caller)


def answers_what_nobody_was_told(monkeypatch):
    def told(found, *, at):
        raise Problem(418, "teapot", "I am a teapot.")

    monkeypatch.setattr(sales, "told", told)


@pytest.mark.parametrize(
    ("plant", "only", "check"),
    [
        (crashes, "verify_card", "not_a_server_error"),
        (tells_a_number_for_a_name, "list_perks", "response_schema_conformance"),
        (lets_anybody_in, "get_redemption", "ignored_auth"),
        (answers_what_nobody_was_told, "list_sales", "status_code_conformance"),
    ],
)
def test_a_planted_fault_is_found(fuzz, monkeypatch, plant, only, check):
    plant(monkeypatch)
    found = fuzz(1, examples=EXAMPLES, only=(only,)).findings
    assert check in {finding.partition(":")[0] for finding in found}
