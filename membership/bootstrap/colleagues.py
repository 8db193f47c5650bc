"""The demo's staff: appointed by the command, as a real installation's are; each chooses a password by the mailed code.

Safe to repeat: who is there already stays as they are.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from django.core.management import call_command

from membership.bootstrap.personas import PASSWORD, mailed_code
from membership.bootstrap.visitor import Unexpected, Visitor
from membership.models import Staff


@dataclass(frozen=True)
class Colleague:
    role: str
    name: str
    email: str


MANAGER = Colleague("manager", "Mara Voss", "mara@example.com")
COLLEAGUES = (
    MANAGER,
    Colleague("billing", "Tessa Brandt", "tessa@example.com"),
    Colleague("support", "Vik Rao", "vik@example.com"),
    Colleague("viewer", "Lou Jansen", "lou@example.com"),
)


def bring_in(base_url: str) -> None:
    """Appoint everybody who is not there yet. Raises Unexpected when a page leads elsewhere."""
    for colleague in COLLEAGUES:
        if not Staff.objects.filter(user__email=colleague.email).exists():
            _appoint(colleague)
        if not Staff.objects.get(user__email=colleague.email).user.has_usable_password():
            _choose_password(colleague, base_url)


def _appoint(colleague: Colleague) -> None:
    by = "the demo" if colleague == MANAGER else MANAGER.email
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        call_command(
            "staff", "grant", colleague.email, colleague.role, "--name", colleague.name, "--by", by, stdout=nowhere
        )


def _choose_password(colleague: Colleague, base_url: str) -> None:
    visitor = Visitor(base_url)
    asked = visitor.submit(visitor.open("/account/password/reset/").form("email"), email=colleague.email)
    told = visitor.submit(asked.form("code"), code=mailed_code(visitor, colleague.email))
    form = told.form("password1")
    chosen = {name: PASSWORD for name in form.names if name.startswith("password")}
    page = visitor.submit(form, **chosen)
    if page.status != 200:
        raise Unexpected(f"{colleague.email} could not choose a password: {page.path} ({page.status})")


def describe() -> list[dict[str, Any]]:
    """For demo.json."""
    return [
        {"role": one.role, "name": one.name, "email": one.email, "password": PASSWORD, "console": "/console/"}
        for one in COLLEAGUES
    ]
