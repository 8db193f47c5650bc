"""German says everything that English says. Reads sources and catalogues itself: no gettext tools are needed here.

To mend: `manage.py makemessages -l de --no-location --no-obsolete --no-wrap -i var`, translate what is empty, then
`manage.py compilemessages`.
"""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.ROOT)
# The house's own, and that of the local Stripe, which imports nothing of the house.
CATALOGUES = [ROOT / app / "locale" / "de" / "LC_MESSAGES" / "django.po" for app in ("membership", "billing/emulator")]
MARKS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "gettext_noop"}
CALL = re.compile(r"(?<!\w)(?:_|gettext|ngettext)\(u?('(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")", re.DOTALL)
PLACE = re.compile(r"%\((\w+)\)[sd]")


def of_python(source: str) -> set[str]:
    """The strings that a module marks for translation."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.args)
    marked = (call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id in MARKS)
    return {arg.value for arg in marked if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}


def of_template(source: str) -> set[str]:
    return {str(ast.literal_eval(found.group(1))) for found in CALL.finditer(templatize(source))}


def in_the_house() -> set[str]:
    found: set[str] = set()
    for app in ("membership", "perks", "billing"):
        for path in (ROOT / app).rglob("*.py"):
            found |= of_python(path.read_text(encoding="utf-8"))
    for folder in (ROOT / "templates", *ROOT.glob("*/templates"), *ROOT.glob("*/*/templates")):
        for path in (*folder.rglob("*.html"), *folder.rglob("*.txt")):
            found |= of_template(path.read_text(encoding="utf-8"))
    return found - {""}


def whole() -> dict[str, list[str]]:
    return {text: german for path in CATALOGUES for text, german in catalogue(path).items() if text}


def catalogue(path: Path) -> dict[str, list[str]]:
    """msgid -> its German, one text or one for each plural form."""
    said: dict[str, list[str]] = {}
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        assert "fuzzy" not in block, block
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if found := re.match(r'(msgid|msgid_plural|msgstr|msgstr\[\d\]) (".*")$', line):
                name = found.group(1)
                fields[name] = ast.literal_eval(found.group(2))
            elif line.startswith('"'):
                fields[name] += ast.literal_eval(line)
        said[fields["msgid"]] = [text for field, text in fields.items() if field.startswith("msgstr")]
    return said


def test_every_string_has_its_german() -> None:
    said = whole()
    assert sorted(text for text in in_the_house() if not all(said.get(text, [""]))) == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-5])
def test_the_compiled_catalogue_is_that_of_the_text(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    def as_compiled(text: str, german: list[str]) -> list[str]:
        return [compiled.ngettext(text, "", n) for n in (1, 2)] if len(german) > 1 else [compiled.gettext(text)]

    said = {text: german for text, german in catalogue(path).items() if text}
    assert {text: german for text, german in said.items() if as_compiled(text, german) != german} == {}


def test_every_place_for_a_value_is_kept() -> None:
    single = {text: german[0] for text, german in whole().items() if len(german) == 1}
    assert {t: g for t, g in single.items() if set(PLACE.findall(t)) != set(PLACE.findall(g))} == {}


@pytest.mark.parametrize(
    ("source", "strings"),
    [
        ('{% load i18n %}{% translate "Hello" %}', {"Hello"}),
        ("{% load i18n %}{% blocktranslate with n=x %}Dear {{ n }}{% endblocktranslate %}", {"Dear %(n)s"}),
        ("{% load i18n %}{% blocktranslate count n=x %}One{% plural %}{{ n }}{% endblocktranslate %}", {"One"}),
    ],
)
def test_the_reader_of_templates_finds_them(source: str, strings: set[str]) -> None:
    assert of_template(source) == strings
