"""Dying at a chosen moment: each commit, each call to Stripe, each ring and each mail is a point, before and after it.

A crash is a BaseException, so nothing of the product can catch it; what was not committed is rolled back, as it is when
a process is killed. What a dead process held (a claimed row) is free at once here: waiting for its lease is only time.

Two points between which nothing lasting happened (no row of ours or of Stripe's, no mail) are the same death: what
the dead process had in its head is gone either way. `deaths` are the points that differ in what they leave behind.
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
from billing.emulator.routers import ALIAS
from membership import doorbell

WRITES = ("INSERT", "UPDATE", "DELETE")
NOTES = '"membership_tick"'  # that a sweep ran: only the health of the sweeps is read off it


class Crash(BaseException):
    """The process is gone."""


class Points:
    """Counts the points that are passed; at number `at` the process dies. Names them, for the report."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.passed: list[str] = []
        self.deaths: list[int] = []
        self._lasting = True  # something that outlives a process happened since the last death
        self._written = False  # the same, once the open transaction is committed

    def passing(self, name: str) -> None:
        self.passed.append(name)
        if self._lasting:
            self.deaths.append(len(self.passed) - 1)
        self._lasting = False
        if len(self.passed) - 1 == self.at:
            raise Crash(name)

    @contextlib.contextmanager
    def watched(self) -> Iterator[Points]:
        """While this lasts, the product passes its points here."""
        with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
            patch.setattr(gateway, "call", self._around("stripe", gateway.call))
            patch.setattr(doorbell, "ring", self._around("ring", doorbell.ring))
            patch.setattr(EmailMultiAlternatives, "send", self._around("mail", EmailMultiAlternatives.send))
            patch.setattr(transaction.Atomic, "__enter__", self._begins(transaction.Atomic.__enter__))
            patch.setattr(transaction.Atomic, "__exit__", self._commits(transaction.Atomic.__exit__))
            stack.enter_context(connections["default"].execute_wrapper(self._ours_writes))
            stack.enter_context(connections[ALIAS].execute_wrapper(self._stripe_writes))
            yield self

    def _around(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(act)
        def around(*args: Any, **kwargs: Any) -> Any:
            self.passing(f"before {name}")
            result = act(*args, **kwargs)
            self._lasting |= name == "mail"
            self.passing(f"after {name}")
            return result

        return around

    def _ours_writes(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """A statement of ours. One outside any transaction is a commit by itself."""
        result = execute(sql, *rest)
        if sql.startswith(WRITES) and NOTES not in sql:
            self._written = True
            if not _ours():
                self._committed()
                self.passing("after commit of one statement")
        return result

    def _stripe_writes(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        self._lasting |= sql.startswith(WRITES)
        return execute(sql, *rest)

    def _committed(self) -> None:
        self._lasting |= self._written
        self._written = False

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
                self._committed()
                self.passing("after commit")
            elif outermost:
                self._written = False  # rolled back
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
