"""What tests of the invariants share: run the checker, and see what it says without a constraint."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator

from django.core.management import CommandError, call_command
from django.db import connection, models


def breached() -> set[str]:
    """The ids of the invariants that `manage.py check_invariants` reports as broken, with its exit code checked."""
    out, code = io.StringIO(), 0
    try:
        call_command("check_invariants", stdout=out)
    except CommandError as error:
        code = error.returncode
    report = json.loads(out.getvalue())
    assert code == bool(report["breaches"])
    return {breach["invariant"] for breach in report["breaches"]}


def breached_once_worked_off() -> set[str]:
    """The same after all that is due was done: where a test's clock jumps, mails and notices wait for the worker."""
    call_command("tick")
    return breached()


@contextlib.contextmanager
def without_constraint(model: type[models.Model], name: str) -> Iterator[None]:
    """Drop a constraint of the test database; afterwards empty the database and put it back.

    The test that uses it needs `transaction=True`.
    """
    constraint = next(c for c in model._meta.constraints if c.name == name)
    every = model._meta.constraints
    model._meta.constraints = [c for c in every if c is not constraint]  # SQLite makes the table anew from these
    with connection.schema_editor() as editor:
        editor.remove_constraint(model, constraint)
    try:
        yield
    finally:
        call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)
        model._meta.constraints = every
        with connection.schema_editor() as editor:
            editor.add_constraint(model, constraint)
