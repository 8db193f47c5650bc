"""What a fixture made once is put back row by row the next time, where everything was the same before.

"Everything" is the whole content of both databases, the clock and the settings: then what followed from it the first
time follows again, and seconds of sign-up and payment become a few inserts. Each process makes everything itself, and
again after two minutes: some rows tell the wall's time, as when Stripe was read last, and what was read ten minutes ago
is read again. (What is made of something remembered adds their ages.)
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import mail
from django.core.management.color import no_style
from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.moment import Clock

type Table = tuple[str, type[models.Model]]  # the alias of its database, and its model
type Rows = dict[str, str]  # primary key -> the whole row, both as their database writes them
type State = dict[Table, Rows]


@dataclass(frozen=True)
class Consequence:
    """What was otherwise afterwards."""

    gone: dict[Table, list[str]]  # rows that are deleted, or replaced by one in `come`
    come: dict[Table, list[str]]
    moment: datetime
    mails: list[Any]
    value: object
    made: float  # time.monotonic()


KEPT = 120.0  # seconds

_known: dict[tuple[object, ...], Consequence] = {}


def remembered[T](name: str, make: Callable[[], T], *, clock: Clock) -> T:
    """What `make()` returns (it can be copied), with all that it does to the databases, the clock and the outbox."""
    before = state()
    key = (name, clock.now, _settings(), _fingerprint(before))
    if key not in _known or time.monotonic() - _known[key].made > KEPT:
        made, sent, value = time.monotonic(), len(mail.outbox), make()
        after = state()
        gone = {t: [pk for pk, row in rows.items() if after[t].get(pk) != row] for t, rows in before.items()}
        come = {t: [row for pk, row in rows.items() if before[t].get(pk) != row] for t, rows in after.items()}
        _known[key] = Consequence(gone, come, clock.now, mail.outbox[sent:], copy.deepcopy(value), made)
        return value
    known = _known[key]
    with ExitStack() as stack:  # foreign keys are looked at when a transaction ends
        for alias in connections:
            stack.enter_context(transaction.atomic(using=alias))
        for table in before:
            _delete(table, known.gone[table])
            _insert(table, known.come[table])
    clock.move_to(known.moment)
    mail.outbox += known.mails
    return copy.deepcopy(known.value)


def state() -> State:
    return {table: dict(_rows(table)) for table in _tables()}


def _tables() -> list[Table]:
    every = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    return [
        (alias, model)
        for alias in connections
        for model in every
        if not model._meta.proxy and router.allow_migrate_model(alias, model)
    ]


def _settings() -> str:
    return repr([(name, getattr(settings, name)) for name in sorted(dir(settings)) if name.isupper()])


def _fingerprint(state: State) -> int:
    return hash(tuple(frozenset(rows.items()) for rows in state.values()))


# --- rows as text: SQL literals in SQLite, the format of COPY in PostgreSQL -------------------------------------------


def _described(table: Table) -> tuple[BaseDatabaseWrapper, str, list[str]]:
    """The connection, the table's quoted name, and its quoted columns, the primary key first."""
    alias, model = table
    connection = connections[alias]
    fields = sorted(model._meta.local_concrete_fields, key=lambda field: not field.primary_key)
    quote = connection.ops.quote_name
    return connection, quote(model._meta.db_table), [quote(field.column) for field in fields]


def _rows(table: Table) -> Iterator[tuple[str, str]]:
    connection, name, columns = _described(table)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            literals = " || ',' || ".join(f"quote({column})" for column in columns)
            cursor.execute(f"SELECT quote({columns[0]}), {literals} FROM {name}")
            yield from cursor.fetchall()
            return
        with cursor.copy(f"COPY {name} ({', '.join(columns)}) TO STDOUT") as lines:
            for line in b"".join(lines).decode().split("\n")[:-1]:
                yield line.partition("\t")[0], line


def _delete(table: Table, keys: list[str]) -> None:
    if not keys:
        return
    connection, name, columns = _described(table)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"DELETE FROM {name} WHERE {columns[0]} IN ({', '.join(keys)})")
        else:
            cursor.execute(f"DELETE FROM {name} WHERE {columns[0]}::text = ANY(%s)", [keys])


def _insert(table: Table, rows: list[str]) -> None:
    if not rows:
        return
    connection, name, columns = _described(table)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            values = ", ".join(f"({row})" for row in rows)
            cursor.execute(f"INSERT INTO {name} ({', '.join(columns)}) VALUES {values}")
        else:
            with cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as lines:
                lines.write("".join(f"{row}\n" for row in rows))
            # A flush may have begun the keys anew: the next row must not get one of these.
            for statement in connection.ops.sequence_reset_sql(no_style(), [table[1]]):
                cursor.execute(statement)
