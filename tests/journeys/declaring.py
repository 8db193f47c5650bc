"""Somebody who cancels on the public page, without logging in."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.journeys.rig import ROOT, Demo

if TYPE_CHECKING:
    from tests.journeys.person import Person


def declare(person: Person, path: str = "/cancel/", **typed: str) -> str:
    """Fill in the form and press its button. -> the token of the receipt, whose page is in front"""
    page = person.page
    page.goto(path)
    for name, value in {"name": person.name, "email": person.email, **typed}.items():
        page.locator(f"main [name={name}]").fill(value)
    page.locator("main form.declaration button").click()
    page.wait_for_url("**/declarations/*/")
    return page.url.rstrip("/").rsplit("/", 1)[-1]


def declared(person: Person) -> dict[str, str]:
    """What the addresses of a declaration and of its confirmation hold."""
    token = declare(person)
    return {"declaration": token, "declaration_proof": _proof(person.demo, token)}


def _proof(demo: Demo, token: str) -> str:
    code = (
        "from billing import declaration_letters; from billing.models import Declaration; "
        f"print(declaration_letters.proof_url(Declaration.objects.get(token={token!r})))"
    )
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    run = subprocess.run(command, cwd=ROOT, env=demo.variables(), check=True, capture_output=True, text=True)
    return run.stdout.strip().rstrip("/").rsplit("/", 1)[-1]
