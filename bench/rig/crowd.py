"""A crowd of memberships, written by the database itself: one INSERT ... SELECT a table, from one row of each kind.

The pattern rows are made by the models, so a crowd's rows are what the product writes; what differs from row to row is
said as an SQL expression of `n.i`, the row's number. Foreign keys point at the row of the same number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, router

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import Model


def many(pattern: Model, first: int, last: int, **differs: str) -> None:
    """Rows number `first` to `last` of the pattern's table; `differs`: column attribute -> expression."""
    if last < first:
        return
    fields = pattern._meta.concrete_fields
    values: list[Any] = []
    said = []
    for field in fields:
        if field.attname in differs or field.primary_key:
            said.append(differs.get(field.attname, "n.i").replace("%", "%%"))
        else:
            kind = field.db_type(connection)
            said.append(f"CAST(%s AS {kind})" if connection.vendor == "postgresql" else "%s")
            values.append(field.get_db_prep_save(getattr(pattern, field.attname), connection))
    columns = ", ".join(f'"{field.column}"' for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{pattern._meta.db_table}" ({columns})'  # noqa: S608 (our own words)
            f" WITH RECURSIVE n(i) AS (SELECT CAST({first} AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
            f" SELECT {', '.join(said)} FROM n",
            values,
        )


def moment(at: datetime, seconds: str = "0") -> str:
    """The moment so many seconds (an expression of n.i) after `at`, as each database stores one."""
    epoch = f"{int(at.timestamp())} + ({seconds})"
    return f"to_timestamp({epoch})" if connection.vendor == "postgresql" else f"datetime({epoch}, 'unixepoch')"


def named(prefix: str) -> str:
    """A text that is unique by the row's number."""
    return f"'{prefix}' || n.i"


def hurry() -> None:
    """Give up every safety for speed: this database is thrown away."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")  # no foreign key is looked up, row by row
            cursor.execute("SET synchronous_commit = off")
            cursor.execute("SET maintenance_work_mem = '512MB'")
        else:
            cursor.execute("PRAGMA foreign_keys = OFF")
            cursor.execute("PRAGMA synchronous = OFF")


def _here() -> list[type[Model]]:
    """The models whose tables this database has; the local Stripe keeps its own."""
    return [model for model in apps.get_models() if router.allow_migrate_model("default", model)]


def settle() -> None:
    """Be as safe as before, let the planner know what is there, and number rows to come after those of the crowd."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = origin")
            cursor.execute("RESET synchronous_commit")
            for statement in connection.ops.sequence_reset_sql(no_style(), _here()):
                cursor.execute(statement)
        cursor.execute("ANALYZE")
