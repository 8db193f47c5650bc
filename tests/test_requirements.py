"""The pinned requirements hold what pyproject.toml asks for; `./run lock` brings them in step."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ASKED = PROJECT["project"]["dependencies"]
ASKED_FOR_WORK = PROJECT["dependency-groups"]["dev"]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", flags=re.MULTILINE)

# Older ones have holes that were mended since; an audit that cannot reach its database would not say so.
AT_LEAST = {"django": "6.1.3", "weasyprint": "70.0", "django-allauth": "65.21.1", "pillow": "12", "cryptography": "46"}


def pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return {canonicalize_name(package): version for package, version in PIN.findall(text)}


@pytest.mark.parametrize("asked", ASKED)
def test_what_the_product_asks_for_is_pinned(asked):
    wanted = Requirement(asked)

    assert pins("requirements.txt")[canonicalize_name(wanted.name)] in wanted.specifier


@pytest.mark.parametrize("asked", [*ASKED, *ASKED_FOR_WORK])
def test_what_work_on_it_asks_for_is_pinned(asked):
    wanted = Requirement(asked)

    assert pins("requirements-dev.txt")[canonicalize_name(wanted.name)] in wanted.specifier


def test_both_files_pin_the_same_versions():
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_pin_has_a_hash(name):
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if PIN.match(line)]

    assert [line for line in lines if "--hash=sha256:" not in line] == []


@pytest.mark.parametrize(("package", "version"), AT_LEAST.items())
def test_no_version_with_a_known_hole_is_pinned(package, version):
    assert pins("requirements.txt")[package] in Requirement(f"{package}>={version}").specifier
