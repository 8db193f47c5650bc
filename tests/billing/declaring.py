"""Declaring on the public pages as a visitor without an account does it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from billing import tasks
from billing.models import Declaration
from membership.models import Membership

if TYPE_CHECKING:
    from django.test import Client

CANCEL, WITHDRAW = "/cancel/", "/withdraw/"
WORDS = {"name": "Ada Lovelace", "email": "ada@example.org"}


def mark(visitor: Client, path: str = CANCEL) -> str:
    """What tells this page from another one."""
    found = re.search(r'name="mark" value="([0-9a-f]+)"', visitor.get(path).content.decode())
    assert found
    return found[1]


def typed(path: str = CANCEL, **fields: str) -> dict[str, str]:
    how = {"for_cause": "ordinary"} if path == CANCEL else {}
    return WORDS | how | fields


def declare(visitor: Client, path: str = CANCEL, **fields: str) -> Any:
    """Fill in the form and send it. -> the answer"""
    return visitor.post(path, typed(path, mark=mark(visitor, path), **fields))


def number() -> str:
    return Membership.objects.latest("pk").member.number


def work_it_off() -> Declaration:
    """The sweep, and what came of the newest declaration."""
    tasks.sweep_declarations()
    return Declaration.objects.latest("pk")
