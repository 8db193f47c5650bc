"""The log of decisions: every perk check, kept 13 months, written in batches by a thread of each web process.

A check must not wait for a write. A crash loses what was decided in the last half second, never what was redeemed:
a redemption writes its decision itself. The same thread notes when keys were last used.
"""

from __future__ import annotations

import atexit
import logging
import re
import threading
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from membership import clock, doorbell
from perks.models import ApiKey, Decision

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

SECONDS = 0.5
ROUNDS = 8  # of a fifth of that: so long is a decision of another process waited for
SHAPE = re.compile(r"chk_[A-Za-z0-9_-]{22}")
MOST_WAITING = 50_000
KEPT = timedelta(days=396)  # 13 months
FORGOTTEN_AT_ONCE = 5_000
TELL_AGAIN, MOST_TOLD = timedelta(minutes=10), 10_000
COLUMNS = "id, shop_id, member_id, decided_at, question, answer, as_of, grants"  # in the order of Entry
LONG_AGO = datetime.min.replace(tzinfo=UTC)

log = logging.getLogger("vip.decisions")


class Entry(NamedTuple):
    id: str
    shop_id: int
    member_id: int | None
    decided_at: datetime
    question: bytes
    answer: bytes
    as_of: datetime | None = None
    grants: bytes = b"{}"


_waiting: deque[Entry] = deque()
_used_keys: dict[int, datetime] = {}  # and when, by the product's clock
_awaited: set[int] = set()  # members in grace, to be told to billing
_told: dict[int, datetime] = {}  # when (wall time) each of them was told last
_writing = threading.Lock()
_thread: threading.Thread | None = None


def record(entry: Entry) -> None:
    """Remember a decision; it is in the database within a second. In test mode it waits for flush()."""
    _waiting.append(entry)
    if settings.VIP_MODE == "test":
        if len(_waiting) > 1000:
            flush()
    elif _thread is None:
        _start()


def key_was_used(key: int) -> None:
    """Note that a key was used; also where nothing is decided, as on GET /perks."""
    _used_keys[key] = clock.now()
    if _thread is None and settings.VIP_MODE != "test":
        _start()


def renewal_is_awaited(member: int) -> None:
    """A shop asked about a member in grace: maybe the renewal was paid and we did not hear. Billing is told, from the
    thread, at most every ten minutes a member and process; the check waits for nobody."""
    if clock.wall() - _told.get(member, LONG_AGO) >= TELL_AGAIN:
        _awaited.add(member)
        if _thread is None and settings.VIP_MODE != "test":
            _start()


def _tell() -> None:
    while _awaited:
        member = _awaited.pop()
        if len(_told) >= MOST_TOLD:
            _told.clear()
        _told[member] = clock.wall()
        doorbell.ring("billing.member_is_overdue", member)


def flush() -> int:
    """Write what waits. Returns how many decisions; if the database is away they wait on, the oldest lost first."""
    with _writing:
        entries = [_waiting.popleft() for _ in range(len(_waiting))]
        used = dict(_used_keys)
        _used_keys.clear()
        try:
            _write(entries, used)
        except DatabaseError:
            log.exception("%s decisions could not be written; they are tried again", len(entries))
            _waiting.extendleft(reversed(entries[-MOST_WAITING:]))
            return 0
        _tell()
        return len(entries)


def _write(entries: list[Entry], used: dict[int, datetime]) -> None:
    if not entries and not used:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        if entries and connection.vendor == "postgresql":
            _copy(cursor, entries)
        elif entries:
            _insert(cursor, entries)
        for key, at in used.items():
            ApiKey.objects.filter(pk=key).update(last_used_at=at)


def _copy(cursor: CursorWrapper, entries: list[Entry]) -> None:
    """PostgreSQL takes rows by COPY for 8 µs of this process each; executemany takes 45."""
    with cursor.copy(f"COPY perks_decision ({COLUMNS}) FROM STDIN") as rows:
        for e in entries:
            rows.write_row([value.decode() if isinstance(value, bytes) else value for value in e])


def _insert(cursor: CursorWrapper, entries: list[Entry]) -> None:
    adapt = connection.ops.adapt_datetimefield_value
    rows: list[tuple[Any, ...]] = [
        (
            *(e.id, e.shop_id, e.member_id, adapt(e.decided_at)),
            *(e.question.decode(), e.answer.decode(), adapt(e.as_of), e.grants.decode()),
        )
        for e in entries
    ]
    values = "%s, %s, %s, %s, %s, %s, %s, %s"
    cursor.executemany(f"INSERT INTO perks_decision ({COLUMNS}) VALUES ({values})", rows)  # noqa: S608 (our own words)


def find(ident: str, *, shop: int) -> Decision | None:
    """A decision of this shop, also one that was answered a moment ago: what waits here is written first, and what
    waits in another process is waited for. So a redemption never builds on a decision that a crash could lose."""
    if not SHAPE.fullmatch(ident):
        return None
    flush()
    asked = Decision.objects.select_related("member").filter(pk=ident, shop=shop)
    for _ in range(ROUNDS):
        if (found := asked.first()) is not None:
            return found
        time.sleep(SECONDS / 5)
    return asked.first()


def sweep(*, at: datetime) -> int:
    """Forget what is older than 13 months, a batch at a time: nobody waits for the lock of a whole day's rows."""
    gone, old = 0, Decision.objects.filter(decided_at__lt=at - KEPT).order_by("decided_at").values_list("pk", flat=True)
    while batch := list(old[:FORGOTTEN_AT_ONCE]):
        gone += Decision.objects.filter(pk__in=batch).delete()[0]
    return gone


def forget() -> None:
    """For tests: what one left behind must not reach the next."""
    _waiting.clear()
    _used_keys.clear()
    _awaited.clear()
    _told.clear()


def _start() -> None:
    global _thread
    with _writing:
        if _thread is None:
            _thread = threading.Thread(target=_run, name="decisions", daemon=True)
            _thread.start()
            atexit.register(flush)


def _run() -> None:
    pause = threading.Event()
    while True:
        pause.wait(SECONDS)
        try:
            flush()
        except Exception:  # the thread must outlive whatever goes wrong
            log.exception("the log of decisions stumbled")
            connection.close()
