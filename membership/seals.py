"""Seals on the audit: each minute the rows that came are chained to those before, so that none can be changed, taken
away or put in between unseen.

A seal keeps a digest of every row and one over all of them and the seal before. Nothing of this is secret: somebody who
may write anything into the database could make the whole chain anew. So each seal's number and digest are also told to
the log, which is kept elsewhere (docs/production.md), and `manage.py audit --known 12:ab34…` holds the chain to a line
of it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import UTC
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from membership.models import AuditEntry, AuditSeal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

MOST = 2_000  # rows of one seal
LOOKED_BACK = 20  # seals: so long may a transaction take to bring a row whose number was given to it before

log = logging.getLogger("vip.audit")


def seal(*, at: datetime) -> int:
    """Seal what came since the last seal. -> how many rows. Of two at once, one does; the other returns 0."""
    sealed = 0
    while count := _seal_once(at):
        sealed += count
    return sealed


def _seal_once(at: datetime) -> int:
    last = AuditSeal.objects.last()
    after, before = (last.upto, last.digest) if last else (0, "")
    rows = list(AuditEntry.objects.filter(pk__gt=after).order_by("pk")[:MOST])
    if not rows:
        return 0
    rows = [*AuditEntry.objects.filter(pk__in=_late(after)).order_by("pk"), *rows]
    upto, leaves = rows[-1].pk, [(row.pk, leaf(row)) for row in rows]
    told = digest(before, after, upto, leaves)
    try:
        with transaction.atomic():
            made = AuditSeal.objects.create(after=after, upto=upto, leaves=leaves, digest=told, sealed_at=at)
    except IntegrityError:  # somebody else sealed them
        return 0
    log.info("audit sealed %s:%s", made.pk, told)
    return len(rows)


def _late(upto: int) -> set[int]:
    """Rows that came into the range of one of the last seals after it was made: the next one takes them."""
    lately = list(AuditSeal.objects.order_by("-after")[:LOOKED_BACK])
    if not lately:
        return set()
    there = AuditEntry.objects.filter(pk__gt=lately[-1].after, pk__lte=upto).values_list("pk", flat=True)
    return set(there) - {pk for one in lately for pk, _ in one.leaves}


def leaf(row: AuditEntry) -> str:
    """The digest of one row: alike on every database."""
    said = [row.pk, row.at.astimezone(UTC).isoformat(), row.actor, row.verb, row.subject, row.data]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def digest(before: str, after: int, upto: int, leaves: Sequence[Sequence[int | str]]) -> str:
    """A seal's own digest: over the one before, the range, and the rows' digests."""
    text = json.dumps([before, after, upto, leaves], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def breaches() -> Iterator[str]:
    """What is not as it was sealed, a line each, naming the row or the seal."""
    before, upto, sealed = "", 0, set[int]()
    for one in AuditSeal.objects.iterator(chunk_size=50):
        if one.after != upto:
            yield f"the seal before {one.pk} is missing: rows {upto + 1} to {one.after} have none"
        if one.digest != digest(before, one.after, one.upto, one.leaves):
            yield f"seal {one.pk} was changed, or one before it taken away"
        yield from _rows_of(one)
        sealed |= {pk for pk, _ in one.leaves}
        before, upto = one.digest, one.upto
    yield from _put_in_between(upto, sealed)


def _rows_of(one: AuditSeal) -> Iterable[str]:
    rows = AuditEntry.objects.in_bulk([pk for pk, _ in one.leaves])
    for pk, told in one.leaves:
        if pk not in rows:
            yield f"audit row {pk} was taken away"
        elif leaf(rows[pk]) != told:
            yield f"audit row {pk} was changed after it was sealed"


def _put_in_between(upto: int, sealed: set[int]) -> Iterable[str]:
    """Rows among the sealed ones that have no seal, and came too late to be given one."""
    there = AuditEntry.objects.filter(pk__lte=upto).order_by("pk").values_list("pk", flat=True)
    for pk in set(there) - sealed - _late(upto):
        yield f"audit row {pk} was put in between rows that had been sealed"
