"""Nothing in the repository is a secret, a path of one machine, or the address of a package host."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOOKS_SECRET = {
    "a live Stripe key": re.compile(r"\b[sr]k_live_[A-Za-z0-9]{10,}"),
    "a private key": re.compile("-----BEGIN [A-Z ]*PRIVATE " + "KEY-----"),
    "a webhook secret": re.compile(r"\bwhsec_[A-Za-z0-9+/]{24,}"),
    "an API key": re.compile(r"\bvip_(live|test)_[A-Za-z0-9]{16,}"),
    "a cloud key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
}
PACKAGE_HOST = re.compile(r"pypi\.or[g]|pythonhoste[d]|registry\.npmj[s]|deb\.debia[n]")
HOME = re.compile(r"(?<![\w.$])/(?:root|home/\w+|Users/\w+)/")


def kept_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def found(patterns: dict[str, re.Pattern[str]]) -> list[str]:
    hits = []
    for path in kept_files():
        text = path.read_text(encoding="utf-8", errors="ignore")
        hits += [f"{path.relative_to(ROOT)}: {what}" for what, pattern in patterns.items() if pattern.search(text)]
    return hits


def test_no_file_holds_a_secret():
    assert found(LOOKS_SECRET) == []


def test_no_file_names_a_package_host_or_somebodys_home():
    assert found({"a package host": PACKAGE_HOST, "a home folder": HOME}) == []
