"""Moving the clock of a demo: from due moment to due moment, with all work done at each.

So letters, renewals and lapses happen at their own moments and in their order, as if the time had been waited for. An
app that has something happen by itself says so in a module `moments`, reached by its name alone:

    next_due(after: datetime) -> datetime | None   the first moment after `after` at which something is due
    waiting() -> str                               what is due by now and not done yet, for people; empty when nothing
    settle() -> int                                (optional) does what is due and rung by no bell; how much there was
    ON_ARRIVAL: frozenset[str]                     (optional) bells that need not be rung on the way
    NEEDED: dict[str, Callable[[datetime], bool]]  (optional) whether a bell would find something to do by a moment

At each moment every other bell of beat is rung as well, so a new sweep needs no line here. One named in NEEDED is
rung on the way where it is needed only: most moments concern one member and one sweep, and beat has a dozen. On arrival
all are rung, whatever anybody said.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import time
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext_lazy as _

from membership import celery, clock
from membership.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

log = logging.getLogger("vip.time")

MOMENTS = 20_000  # of one move at the most: something that is due again and again would never let it end
ROUNDS = 2_000  # at one moment at the most
PATIENCE = 15.0  # seconds in which nothing at all gets done, though something is due


class AlreadyMoving(DomainError):
    code = "time_is_moving"
    message = _("Time is being moved already. Please wait until it has arrived.")  # type: ignore[assignment]


class OnlyForward(DomainError):
    code = "time_goes_forward"
    message = _("Time moves forward only.")  # type: ignore[assignment]


class StandsStill(DomainError):
    """Something at a moment is never done. The clock stands at that moment; moving again tries again."""

    code = "time_stands_still"
    status = 503
    message = _("Time cannot go on, since something that is due now does not get done: %(what)s.")  # type: ignore[assignment]

    def __init__(self, what: str) -> None:
        super().__init__(str(self.message) % {"what": what}, what=what)


@dataclass
class Journey:
    """What a move was: where from, where to, at how many moments something was due, which bells failed."""

    started_at: datetime
    arrived_at: datetime
    moments: int = 0
    failed: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Moving:
    """A move that somebody has under way."""

    started_at: datetime
    to: datetime


def move(*, to: datetime, turn: Callable[[datetime], object] = clock.turn_to, arrive: bool = True) -> Journey:
    """Move the clock to `to`, stopping wherever something is due. `turn` sets the clock of VIP_CLOCK.

    `arrive=False`: `to` is a moment on the way of somebody who moves on from there at once, and arrives later.

    Raises OnlyForward, AlreadyMoving, StandsStill.
    """
    start = clock.now()
    if to <= start:
        raise OnlyForward
    with _alone(start, to):
        bells = Bells()
        journey = Journey(start, start)
        settle(bells)
        for at in _due_moments(start, to):
            journey.moments += 1
            if at > clock.now():
                turn(at)
            settle(bells)
        if to > clock.now():
            turn(to)
        settle(bells.all_of_them() if arrive else bells)
        journey.arrived_at, journey.failed = clock.now(), bells.failed
        return journey


def _due_moments(start: datetime, to: datetime) -> Iterator[datetime]:
    """Each moment before `to`, asked for again after each one: what happens makes other things due."""
    at = start
    for _moment in range(MOMENTS):
        due = next_due(after=at)
        if due is None or due >= to:
            return
        yield (at := due)
    raise StandsStill(f"{MOMENTS} moments")


def next_due(*, after: datetime) -> datetime | None:
    """The first moment after `after` at which something is due anywhere in the house, or at the local Stripe."""
    found = [module.next_due(after) for module in _modules()]
    return min((at for at in found if at is not None), default=None)


def settle(bells: Bells) -> None:
    """Do all that is due by now, and all that follows from it. Raises StandsStill when it is never done."""
    deadline = time.monotonic() + PATIENCE
    for _round in range(ROUNDS):
        happened = sum(module.settle() for module in _modules() if hasattr(module, "settle"))
        bells.ring()
        waiting = next(filter(None, (module.waiting() for module in _modules())), "")
        if happened:
            deadline = time.monotonic() + PATIENCE  # work is slow, not stuck
        elif not waiting:
            return
        elif time.monotonic() > deadline:
            raise StandsStill(waiting)
        else:
            time.sleep(0.02)  # in the hands of a worker
    raise StandsStill(f"{ROUNDS} rounds at one moment")


class Bells:
    """What beat rings, rung here and answered in this process: where it is needed, or on arrival where that will do."""

    def __init__(self) -> None:
        self.entries = celery.schedule()
        self.on_arrival = frozenset().union(*(getattr(module, "ON_ARRIVAL", ()) for module in _modules()))
        self.needed: dict[str, Callable[[datetime], bool]] = {}
        for module in _modules():
            self.needed |= getattr(module, "NEEDED", {})
        self.failed: set[str] = set()

    def all_of_them(self) -> Bells:
        """From now on each is rung."""
        self.on_arrival, self.needed = frozenset(), {}
        return self

    def ring(self) -> None:
        for name, entry in self.entries.items():
            if name not in self.on_arrival:
                self._answer(name, entry)

    def _answer(self, name: str, entry: dict[str, Any]) -> None:
        """Asked for each in its turn: the one before it may have made work for it."""
        try:
            if name not in self.needed or self.needed[name](clock.now()):
                celery.app.tasks[entry["task"]]()
        except Exception:
            log.exception("%s failed; the next moment tries again", name)
            self.failed.add(name)


def _modules() -> list[Any]:
    """Each app's module `moments`, the local Stripe's among them, by name: nothing above is imported here."""
    return [
        import_module(f"{config.name}.moments")
        for config in apps.get_app_configs()
        if config.name.partition(".")[0] in ("membership", "perks", "billing")
        and module_has_submodule(config.module, "moments")
    ]


# --- one move at a time, across processes ----------------------------------------------------------------------------


@contextlib.contextmanager
def _alone(start: datetime, to: datetime) -> Iterator[None]:
    """Held until the move is over or its process gone. Raises AlreadyMoving when another one is under way."""
    with _note().open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyMoving from None
        file.truncate(0)
        file.write(json.dumps([start.timestamp(), to.timestamp()]))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def moving() -> Moving | None:
    """The move that is under way, if there is one."""
    try:
        with _note().open(encoding="ascii") as file:
            noted = file.read()
            if not noted:
                return None
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None  # whoever noted it is gone
        start, to = json.loads(noted)
    except (FileNotFoundError, ValueError):
        return None
    return Moving(clock.at(start), clock.at(to))


def _note() -> Path:
    path: Path = settings.VIP_DATA / "clock_moving"
    return path
