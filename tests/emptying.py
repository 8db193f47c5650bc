"""After a test that commits, its rows are deleted, a statement a table, and not by Django's `flush`.

`flush` truncates, which takes PostgreSQL its time however little lies in a table, and then makes all content types and
permissions anew, under other keys than before: no test would find the databases as the one before it did, and nothing
could be `remembered`. Here these stay as `migrate` made them.
"""

from __future__ import annotations

from functools import cache

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, transaction
from django.test import TransactionTestCase

MADE_BY_MIGRATE = {model._meta.db_table for model in (ContentType, Permission)}


def use() -> None:
    """From now on every test that commits is cleared away like this."""
    TransactionTestCase._fixture_teardown = _empty_all  # type: ignore[method-assign]


def _empty_all(test: TransactionTestCase) -> None:
    for alias in test._databases_names(include_mirrors=False):
        empty(alias)


def empty(alias: str) -> None:
    """Delete every row that was not there when the database was new; what the keys were counted to, stays."""
    with (
        transaction.atomic(using=alias),
        connections[alias].cursor() as cursor,
    ):  # foreign keys are looked at at its end
        for statement in _statements(alias):
            cursor.execute(statement)


@cache
def _statements(alias: str) -> tuple[str, ...]:
    """PostgreSQL is asked once for all tables; SQLite takes one statement at a time, and asking costs nothing."""
    connection = connections[alias]
    tables = sorted(set(connection.introspection.django_table_names(only_existing=True)) - MADE_BY_MIGRATE)
    each = [f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables]
    return tuple(each) if connection.vendor == "sqlite" else ("; ".join(each),)
