"""Member numbers: eight random digits and two check digits (ISO 7064 mod 97-10), so that a mistyped one is noticed."""

from __future__ import annotations

import secrets

LENGTH = 10


def make() -> str:
    """A new number. Random, so that it tells nobody how many members there are; the database refuses a repeat."""
    body = f"{secrets.randbelow(90_000_000) + 10_000_000}"
    return body + check_digits(body)


def check_digits(body: str) -> str:
    """The two digits that make the whole number leave 1 when divided by 97."""
    return f"{98 - int(body) * 100 % 97:02d}"


def normalize(text: str) -> str:
    """What a person typed or a scanner read, without spaces and dashes."""
    return "".join(c for c in text if c not in " -\u00a0\u202f\t")


def is_valid(text: str) -> bool:
    """Whether this can be a member number at all: ten ASCII digits whose check digits fit."""
    return len(text) == LENGTH and text.isascii() and text.isdigit() and int(text) % 97 == 1


def group(number: str) -> str:
    """For people: 4821 0073 99."""
    return f"{number[:4]} {number[4:8]} {number[8:]}"
