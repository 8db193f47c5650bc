"""Writes the parts of the shops' client that follow from the API's schema: its models and one method per operation.

Pure: the schema in, the files' text out, formatted as ruff would. `manage.py write_client` puts them in place; a test
holds what stands there to what would be written now.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

type Schema = Mapping[str, Any]

HEAD = '''"""{about}

Written by `./run manage write_client` from the API's schema. Not to be edited.
"""

from __future__ import annotations
'''
FROM = {
    "abc": ("ABC", "abstractmethod"),
    "collections.abc": ("Sequence",),
    "dataclasses": ("dataclass",),
    "datetime": ("datetime",),
    "typing": ("Any", "Literal"),
}
PLAIN = {"string": "str", "integer": "int", "boolean": "bool", "number": "float"}
OURS = {"ProblemOut", "FieldProblem"}  # told as exceptions (errors.py)
WIDE = 114


def files(schema: Schema) -> dict[str, str]:
    """The text of each file by its name."""
    return {"models.py": _models(schema), "operations.py": _operations(schema)}


def _models(schema: Schema) -> str:
    parts = schema["components"]["schemas"]
    bodies = {_name(body) for _, _, op in _calls(schema) if (body := _body(op))}
    wanted = [name for name in sorted(parts) if name not in OURS | bodies]
    text = "\n\n".join(_model(name, parts[name]) for name in wanted)
    return "\n".join([HEAD.format(about="What the API takes and gives."), _imports(text), "\n" + text])


def _model(name: str, part: Schema) -> str:
    asked = part.get("additionalProperties") is False  # what the API is asked may have no other fields
    lines = ["@dataclass(frozen=True, slots=True, kw_only=True)", f"class {name}:"]
    if part.get("description"):
        lines += [*_doc(part["description"], "    "), ""]
    for field, inner in part["properties"].items():
        needed = field in part.get("required", [])
        lines.append(f"    {field}: {_type(inner, asked=asked, needed=needed)}{'' if needed else _default(inner)}")
        lines += _doc(_about(inner), "    ") if _about(inner) else []
    return "\n".join(lines) + "\n"


def _operations(schema: Schema) -> str:
    head = HEAD.format(about="One method for each operation of the API.")
    base = (
        "class Operations(ABC):\n"
        '    """The calls. `seconds` is what one may take altogether, its repetitions included."""\n\n'
        "    @abstractmethod\n"
        "    def _ask[T](self, call: Call, answer: type[T], *, seconds: float | None) -> T: ...\n"
    )
    parts = schema["components"]["schemas"]
    text = "\n".join([base, *(_method(*call, parts) for call in _calls(schema))])
    ours = "\nfrom . import models\nfrom .call import Call, segment\n\n"
    return "\n".join([head, _imports(text) + ours, text])


def _imports(text: str) -> str:
    """Of what the text uses, a line each."""
    used = {module: [name for name in names if re.search(rf"\b{name}\b", text)] for module, names in FROM.items()}
    return "".join(f"from {module} import {', '.join(names)}\n" for module, names in used.items() if names)


def _method(verb: str, path: str, operation: Schema, parts: Schema) -> str:
    given = {p["name"]: p for p in operation["parameters"]}
    asked = parts[_name(_body(operation))] if _body(operation) else {"properties": {}}
    answer = _type(operation["responses"][200]["content"]["application/json"]["schema"], models="models.")
    keyed = "Idempotency-Key" in given
    safe = verb == "get" or bool(operation.get("x-safe"))
    repeatable = safe or verb == "put" or keyed or bool(operation.get("x-idempotent"))
    target = re.sub(r"{(\w+)}", r"{segment(\1)}", path)
    call = [f'"{operation["operationId"]}"', f'"{verb.upper()}"', f'{"f" * (target != path)}"{target}"']
    call += [f"safe={safe}", f"repeatable={repeatable}"]
    call += [f"{place}={{{_pairs(given, place)}}}" for place in ("query", "header") if _pairs(given, place)]
    if _body(operation):
        call.append("body={" + ", ".join(f'"{name}": {name}' for name in asked["properties"]) + "}")
    return "\n".join(
        [
            f"    def {operation['operationId']}(",
            *(f"        {line}," for line in _parameters(given, asked)),
            f"    ) -> {answer}:",
            *_doc(_explained(operation["description"], given, asked), "        "),
            "        call = Call(",
            *(f"            {part}," for part in call),
            "        )",
            f"        return self._ask(call, {answer}, seconds=seconds)",
            "",
        ]
    )


def _parameters(given: Schema, asked: Schema) -> Iterator[str]:
    """What stands in the path comes first and may go without its name."""
    yield "self"
    yield from (f"{_python(p)}: str" for p in given.values() if p["in"] == "path")
    yield "*"
    needed = asked.get("required", [])
    fields = sorted(asked["properties"].items(), key=lambda field: field[0] not in needed)
    for name, part in fields:
        told = _type(part, asked=True, models="models.", needed=name in needed)
        yield f"{name}: {told}{'' if name in needed else _default(part)}"
    for parameter in given.values():
        if parameter["in"] != "path":
            kind = _type(parameter["schema"], asked=True).removesuffix(" | None")
            yield f"{_python(parameter)}: {kind} | None = None"
    yield "seconds: float | None = None"


def _explained(description: str, given: Schema, asked: Schema) -> str:
    told = [(_python(p), p.get("description", "")) for p in given.values()]
    told += [(name, part.get("description", "")) for name, part in asked["properties"].items()]
    lines = [f"`{name}`: {about.removesuffix('.')}." for name, about in told if about]
    return "\n".join([description, *([""] if lines else []), *lines])


def _pairs(given: Schema, place: str) -> str:
    return ", ".join(f'"{p["name"]}": {_python(p)}' for p in given.values() if p["in"] == place)


def _python(parameter: Schema) -> str:
    """X-Member-Clock: member_clock."""
    return str(parameter["name"]).lower().removeprefix("x-").replace("-", "_")


def _type(part: Schema, *, asked: bool = False, models: str = "", needed: bool = True) -> str:
    """As Python says it. Something asked that may be left out is None then."""
    if "anyOf" in part:
        kinds = [_type(option, asked=asked, models=models) for option in part["anyOf"]]
        return " | ".join(sorted(kinds, key=lambda kind: kind == "None"))
    if not needed and "default" not in part:
        return f"{_type(part, asked=asked, models=models)} | None"
    if "$ref" in part:
        return models + _name(part)
    if "enum" in part or "const" in part:
        return "Literal[" + ", ".join(f'"{value}"' for value in part.get("enum", [part.get("const")])) + "]"
    match part.get("type"):
        case "array":
            inner = _type(part["items"], asked=asked, models=models)
            return f"Sequence[{inner}]" if asked else f"list[{inner}]"
        case "object":
            values = part.get("additionalProperties")
            return f"dict[str, {_type(values, models=models) if isinstance(values, dict) else 'Any'}]"
        case "null":
            return "None"
        case "string" if part.get("format") == "date-time":
            return "datetime"
        case kind:
            return PLAIN.get(str(kind), "Any")


def _default(part: Schema) -> str:
    default = part.get("default")
    return " = ()" if default == [] else f" = {default!r}"


def _about(part: Schema) -> str:
    known = part.get("x-known-values", [])
    return f"{part.get('description', '')} {'Known: ' + ', '.join(known) + '.' if known else ''}".strip()


def _doc(text: str, indent: str) -> list[str]:
    """As a docstring: paragraphs stay, lines are filled."""
    paragraphs = re.sub(r"(?<!\n)\n(?![\n`])", " ", text).split("\n")
    lines = [line for told in paragraphs for line in (textwrap.wrap(told, WIDE - len(indent)) or [""])]
    if len(lines) == 1:
        return [f'{indent}"""{lines[0]}"""']
    return [(indent + line).rstrip() for line in [f'"""{lines[0]}', *lines[1:], '"""']]


def _calls(schema: Schema) -> list[tuple[str, str, Schema]]:
    return [(verb, path, op) for path, ops in schema["paths"].items() for verb, op in ops.items()]


def _body(operation: Schema) -> Schema:
    found: Schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _name(part: Schema) -> str:
    return str(part["$ref"]).rsplit("/", 1)[-1]
