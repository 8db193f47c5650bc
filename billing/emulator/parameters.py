"""What is wrong with the parameters of a call, in Stripe's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing.emulator.contract import params, routes
from billing.emulator.errors import NotStarted

if TYPE_CHECKING:
    from billing.emulator.contract.params import Problem
    from billing.emulator.wire import Request

NUMBERS = {
    "int_parsing": "Invalid integer: {value}",
    "int_type": "Invalid integer: {value}",
    "bool_parsing": "Invalid boolean: {value}",
    "bool_type": "Invalid boolean: {value}",
    "decimal_parsing": "Invalid decimal: {value}",
}


def parse(request: Request) -> dict[str, Any]:
    """The parameters with their types. Raises before the endpoint starts, so that no idempotency key is spent."""
    route = routes.find(request.verb, request.path)
    if route is None:
        raise unknown_url(request)
    found, problems = params.parse(route, request.params)
    if problems:
        raise _refusal(problems)
    return found


def unknown_url(request: Request) -> NotStarted:
    return NotStarted(f"Unrecognized request URL ({request.verb}: {request.path}).", status=404)


def _refusal(problems: list[Problem]) -> NotStarted:
    unknown = [problem.param for problem in problems if problem.kind == "extra_forbidden"]
    if unknown:
        many = "s" if len(unknown) > 1 else ""
        return NotStarted(
            f"Received unknown parameter{many}: {', '.join(unknown)}",
            code="parameter_unknown",
            param=unknown[0],
        )
    problem = problems[0]
    if problem.kind == "missing":
        return NotStarted(f"Missing required param: {problem.param}.", code="parameter_missing", param=problem.param)
    if problem.kind == "literal_error":
        expected = problem.expected.replace("'", "")
        return NotStarted(f"Invalid {problem.param}: must be one of {expected}", param=problem.param)
    message = NUMBERS.get(problem.kind, "Invalid {param}").format(value=problem.value, param=problem.param)
    return NotStarted(message, param=problem.param)
