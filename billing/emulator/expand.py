"""`expand[]`: ids in an answer replaced by their objects, one query a step however long the list is."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from billing.emulator import paging, store
from billing.emulator.errors import StripeError

if TYPE_CHECKING:
    from collections.abc import Callable

DEEPEST = 4


def _children(kind: str, field: str, path: str) -> Callable[[list[dict[str, Any]]], dict[str, Any]]:
    """A list that is shown only when asked for: the objects of `kind` whose parent this is."""

    def fetch(nodes: list[dict[str, Any]]) -> dict[str, Any]:
        found: dict[str, list[dict[str, Any]]] = {node["id"]: [] for node in nodes}
        for record in store.of(kind, **{f"{field}__in": list(found)}).order_by("-id"):
            found[getattr(record, field)].append(record.data)
        return {i: paging.whole(data, path.format(i)) for i, data in found.items()}

    return fetch


def _line_items(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    records = store.find_many(node["id"] for node in nodes)
    return {
        i: paging.whole(record.hidden["line_items"], f"/v1/checkout/sessions/{i}/line_items")
        for i, record in records.items()
    }


def _applies_to(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    records = store.find_many(node["id"] for node in nodes)
    return {i: record.hidden["applies_to"] for i, record in records.items() if record.hidden.get("applies_to")}


def _confirmation_secret(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    """Of open invoices whose payment waits for the buyer's own client."""
    intents = store.of("payment_intent", parent__in=[node["id"] for node in nodes]).order_by("id")
    waiting = {i.parent: i.data["client_secret"] for i in intents if i.data["status"] not in {"canceled", "succeeded"}}
    return {i: {"client_secret": secret, "type": "payment_intent"} for i, secret in waiting.items()}


COMPUTED: dict[tuple[str, str], Callable[[list[dict[str, Any]]], dict[str, Any]]] = {
    ("checkout.session", "line_items"): _line_items,
    ("charge", "refunds"): _children("refund", "parent", "/v1/charges/{}/refunds"),
    ("coupon", "applies_to"): _applies_to,
    ("customer", "subscriptions"): _children("subscription", "customer", "/v1/customers/{}/subscriptions"),
    ("invoice", "confirmation_secret"): _confirmation_secret,
    ("invoice", "payments"): _children("invoice_payment", "parent", "/v1/invoices/{}/payments"),
}


def expanded(answer: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """A copy of the answer with these paths expanded. Raises Stripe's 400 on one that cannot be."""
    answer = copy.deepcopy(answer)
    for path in paths:
        keys = path.split(".")
        if len(keys) > DEEPEST + (answer.get("object") == "list"):
            raise StripeError(
                f"You cannot expand more than {DEEPEST} levels of a property (in: {path}).", param="expand"
            )
        nodes = [answer]
        for key in keys:
            nodes = _step(nodes, key, path)
    return answer


def _step(nodes: list[dict[str, Any]], key: str, path: str) -> list[dict[str, Any]]:
    computed = COMPUTED.get((str(nodes[0].get("object")), key)) if nodes else None
    if computed is not None:
        values = computed(nodes)
        for node in nodes:
            if node["id"] in values:
                node[key] = values[node["id"]]
    elif nodes and not any(key in node for node in nodes):
        raise StripeError(
            f"This property cannot be expanded ({path}). You may want to try expanding a different property.",
            param="expand",
        )
    _fetch(nodes, key)
    return [child for node in nodes for child in _dicts(node.get(key))]


def _fetch(nodes: list[dict[str, Any]], key: str) -> None:
    ids = {i for node in nodes for i in _ids(node.get(key))}
    if not ids:
        return
    records = store.find_many(ids)
    shown = {i: copy.deepcopy(store.tombstone(r) if r.deleted else r.data) for i, r in records.items()}
    for node in nodes:
        value = node.get(key)
        if isinstance(value, str):
            node[key] = shown.get(value, value)
        elif isinstance(value, list):
            node[key] = [shown.get(one, one) if isinstance(one, str) else one for one in value]


def _ids(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]


def _dicts(value: Any) -> list[dict[str, Any]]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, dict)]
