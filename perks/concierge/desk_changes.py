"""The desk's hours and holidays, set anew. The only writer of WorkingHours, Holiday and DeskChange.

Nothing that was promised moves: a request keeps the moment it was told (ConciergeRequest.due_at).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from membership import audit
from membership.errors import DomainError
from perks.concierge import desk_hours
from perks.concierge.working_time import WorkingTime
from perks.models import DeskChange, Holiday, WorkingHours

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from perks.concierge.working_time import Stretch


class DeskOvertaken(DomainError):
    code = "desk_overtaken"
    message = gettext_noop("Somebody else has changed the working hours since you looked. Look again.")


class NothingChanged(DomainError):
    code = "desk_unchanged"
    status = 422
    message = gettext_noop("These are the hours and holidays already.")


class NeverOpen(DomainError):
    code = "desk_never_open"
    status = 422
    message = gettext_noop("A desk that never opens owes no answer: give it some hours.")


@dataclass(frozen=True)
class Desk:
    """The week (stretches in order by weekday, closed days left out) and the holidays from a day on, by name."""

    hours: Mapping[int, tuple[Stretch, ...]]
    holidays: Mapping[date, str] = field(default_factory=dict)

    def working_time(self) -> WorkingTime:
        """As it would count from today on."""
        return WorkingTime(settings.VIP_HOME_ZONE, self.hours, frozenset(self.holidays))


def today(at: datetime) -> date:
    """The house's day."""
    return at.astimezone(ZoneInfo(settings.VIP_HOME_ZONE)).date()


def current(at: datetime) -> Desk:
    """As it stands, with the holidays from today on; the usual week where nobody has set one."""
    ahead = Holiday.objects.filter(day__gte=today(at)).values_list("day", "name")
    return Desk(desk_hours.now().hours, dict(ahead))


def number() -> int:
    """How often it was changed: to be handed to `change` by who has looked."""
    return DeskChange.objects.count()


def change(*, to: Desk, saw: int, at: datetime, actor: str) -> None:
    """Set hours and holidays from today on; holidays that are over stay. Of two who saw the same, the second is told.

    Raises DeskOvertaken, NothingChanged, NeverOpen.
    """
    before = current(at)
    check(before, to)
    try:
        with transaction.atomic():
            DeskChange.objects.create(number=saw + 1, author=actor, at=at)
            WorkingHours.objects.all().delete()
            WorkingHours.objects.bulk_create(
                WorkingHours(weekday=weekday, opens=opens, closes=closes)
                for weekday, stretches in to.hours.items()
                for opens, closes in stretches
            )
            Holiday.objects.filter(day__gte=today(at)).delete()
            Holiday.objects.bulk_create(Holiday(day=day, name=name) for day, name in to.holidays.items())
            audit.write(actor=actor, verb="change_desk_hours", subject="desk", at=at, data=_kept(before, to))
    except IntegrityError:
        raise DeskOvertaken from None


def check(now: Desk, to: Desk) -> None:
    """Raises NothingChanged, NeverOpen."""
    if not any(to.hours.values()):
        raise NeverOpen
    if to == now:
        raise NothingChanged


def _kept(before: Desk, to: Desk) -> dict[str, object]:
    return {name: {"hours": _hours(desk), "holidays": _days(desk)} for name, desk in (("was", before), ("is", to))}


def _hours(desk: Desk) -> dict[str, list[Stretch]]:
    return {str(weekday): list(stretches) for weekday, stretches in sorted(desk.hours.items())}


def _days(desk: Desk) -> dict[str, str]:
    return {day.isoformat(): name for day, name in sorted(desk.holidays.items())}
