"""The contract: what the installed stripe SDK says about any request, answer and event.

It is the local Stripe's parameter layer, and the check on everything it says. Because it is read from the SDK's own
types, an upgrade of the SDK shows as red tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing.emulator.contract import answers, routes
from billing.emulator.contract.sdk import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping


class ContractBroken(AssertionError):
    """The local Stripe said something that the SDK does not know. A fault of ours, never of the caller."""


def check_answer(verb: str, path: str, body: Mapping[str, Any]) -> None:
    """Raises ContractBroken unless a successful answer is what the SDK declares for this endpoint."""
    route = routes.find(verb, path)
    if route is None or route.result is None:
        raise ContractBroken(f"{verb} {path}: the SDK has no such endpoint")
    _refuse(f"{verb} {path}", list(answers.check(body, resolve(route.result, route.module), route.module)))


def check_event(event: Mapping[str, Any]) -> None:
    """Raises ContractBroken unless an event and its object are what the SDK declares."""
    _refuse(f"event {event.get('type')}", answers.check_event(event))


def _refuse(what: str, problems: list[str]) -> None:
    if problems:
        raise ContractBroken(f"{what}\n  " + "\n  ".join(problems))
