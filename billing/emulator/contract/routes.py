"""Every v1 endpoint the installed SDK can call: verb, path, the type of its parameters and of its answer."""

from __future__ import annotations

import ast
import pkgutil
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

from billing.emulator.contract import sdk

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Route:
    verb: str
    template: str
    module: str
    params: str | None  # name of the TypedDict, e.g. SessionCreateParams
    result: str | None  # text of the result annotation, e.g. ListObject[Session]

    def matches(self, segments: tuple[str, ...]) -> bool:
        own = self.template.strip("/").split("/")
        return all(mine in (theirs, "") or mine[0] == "{" for mine, theirs in zip(own, segments, strict=True))


def find(verb: str, path: str) -> Route | None:
    """The endpoint behind a call, or None. `path` may carry a prefix before /v1/."""
    return _find(verb.upper(), path[path.index("/v1/") :]) if "/v1/" in path else None


def _find(verb: str, path: str) -> Route | None:
    segments = tuple(path.strip("/").split("/"))
    candidates = _table().get((verb, len(segments)), ())
    return next((route for route in candidates if route.matches(segments)), None)


@cache
def _table() -> dict[tuple[str, int], list[Route]]:
    """By verb and number of segments; literal paths first, so that /invoices/create_preview is no invoice id."""
    table: dict[tuple[str, int], list[Route]] = {}
    for route in sorted(_all(), key=lambda r: (r.template.count("{"), r.template)):
        segments = route.template.strip("/").count("/") + 1
        table.setdefault((route.verb, segments), []).append(route)
    return table


def _all() -> set[Route]:
    found: set[Route] = set()
    for info in pkgutil.walk_packages([str(sdk.ROOT)], "stripe."):
        if info.name.endswith("_service") and ".v2." not in info.name:
            found.update(_of_service(info.name))
    return found


def _of_service(module: str) -> Iterator[Route]:
    tree = ast.parse(sdk.source(module).read_text(encoding="utf-8"))
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "_request":
                yield from _of_call(module, function, call)


def _of_call(module: str, function: ast.FunctionDef, call: ast.Call) -> Iterator[Route]:
    verb, path = call.args[0], call.args[1]
    if isinstance(path, ast.Call):  # "/v1/x/{y}".format(y=sanitize_id(y))
        path = cast("ast.Attribute", path.func).value
    if not (isinstance(verb, ast.Constant) and isinstance(path, ast.Constant)):
        return
    notes = {arg.arg: arg.annotation for arg in [*function.args.posonlyargs, *function.args.args]}
    written = notes.get("params")
    params = next(iter(re.findall(r"\w+Params\b", ast.unparse(written))), None) if written else None
    result = ast.literal_eval(function.returns) if isinstance(function.returns, ast.Constant) else None
    yield Route(str(verb.value).upper(), str(path.value), module, params, result)
