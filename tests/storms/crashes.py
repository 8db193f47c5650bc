"""Dying at a chosen moment: each commit, each call to Stripe, each ring and each mail is a point, before and after it.

A crash is a BaseException, so nothing of the product can catch it; what was not committed is rolled back, as it is when
a process is killed. What a dead process held (a claimed row) is free at once here: waiting for its lease is only time.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import connections, transaction

from billing import gateway
from membership import doorbell


class Crash(BaseException):
    """The process is gone."""


class Points:
    """Counts the points that are passed; at number `at` the process dies. Names them, for the report."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.passed: list[str] = []

    def passing(self, name: str) -> None:
        self.passed.append(name)
        if len(self.passed) - 1 == self.at:
            raise Crash(name)

    @contextlib.contextmanager
    def watched(self) -> Iterator[Points]:
        """While this lasts, the product passes its points here."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gateway, "call", self._around("stripe", gateway.call))
            patch.setattr(doorbell, "ring", self._around("ring", doorbell.ring))
            patch.setattr(EmailMultiAlternatives, "send", self._around("mail", EmailMultiAlternatives.send))
            patch.setattr(transaction.Atomic, "__enter__", self._begins(transaction.Atomic.__enter__))
            patch.setattr(transaction.Atomic, "__exit__", self._commits(transaction.Atomic.__exit__))
            yield self

    def _around(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(act)
        def around(*args: Any, **kwargs: Any) -> Any:
            self.passing(f"before {name}")
            result = act(*args, **kwargs)
            self.passing(f"after {name}")
            return result

        return around

    def _begins(self, enter: Callable[..., Any]) -> Callable[..., Any]:
        """The product's outermost block is a savepoint here and must be a whole one: Django leaves it out on saves."""

        def around(block: transaction.Atomic) -> Any:
            if block.using in (None, "default") and not _ours():
                block.savepoint = True
            return enter(block)

        return around

    def _commits(self, leave: Callable[..., Any]) -> Callable[..., Any]:
        def around(block: transaction.Atomic, kind: Any, *rest: Any) -> Any:
            outermost = self._is_the_products(block)
            if outermost and kind is None:
                try:
                    self.passing("before commit")
                except Crash as crash:
                    leave(block, Crash, crash, None)
                    raise
            result = leave(block, kind, *rest)
            if outermost and kind is None:
                self.passing("after commit")
            return result

        return around

    @staticmethod
    def _is_the_products(block: transaction.Atomic) -> bool:
        """Whether leaving this block commits a transaction of the product's own database."""
        if block.using not in (None, "default") or getattr(block, "_from_testcase", False):
            return False
        return _ours() == [block]


def _ours() -> list[transaction.Atomic]:
    """The product's own open transactions, outermost first."""
    return [b for b in connections["default"].atomic_blocks if not getattr(b, "_from_testcase", False)]
