"""The desk's hours as this installation keeps them: rows that staff set, or the usual week where there are none."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext

from perks.concierge import working_time
from perks.concierge.working_time import Stretch, WorkingTime
from perks.models import Holiday, WorkingHours

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

USUAL: dict[int, tuple[Stretch, ...]] = dict.fromkeys(range(5), ((9 * 60, 18 * 60),))


def now() -> WorkingTime:
    """Hours and holidays as they stand, in the house's zone."""
    hours: defaultdict[int, tuple[Stretch, ...]] = defaultdict(tuple)
    for weekday, opens, closes in WorkingHours.objects.values_list("weekday", "opens", "closes"):
        hours[weekday] += ((opens, closes),)
    holidays = frozenset(Holiday.objects.values_list("day", flat=True))
    return WorkingTime(settings.VIP_HOME_ZONE, dict(hours) or USUAL, holidays)


def due(*, since: datetime, hours: int) -> datetime:
    """By when an answer is owed that was promised within so many working hours."""
    return now().after(since, timedelta(hours=hours))


def words() -> list[str]:
    """ "Monday to Friday, 09:00 to 18:00", for readers; in the house's zone."""
    return words_of(now().hours)


def words_of(hours: Mapping[int, tuple[Stretch, ...]]) -> list[str]:
    return [_run(*run) for run in working_time.told(hours)]


def _run(first: int, last: int, stretches: tuple[Stretch, ...]) -> str:
    names = {"first": str(WEEKDAYS[first]), "last": str(WEEKDAYS[last])}
    days = names["first"] if first == last else gettext("%(first)s to %(last)s") % names
    times = [gettext("%(from)s to %(until)s") % {"from": clock(a), "until": clock(b)} for a, b in stretches]
    return f"{days}, {', '.join(times)}"


def clock(minute: int) -> str:
    """Minutes since midnight as 09:00; the end of a day is 24:00."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def other_zone() -> str:
    """The house's zone, where the reader's is another; so that nobody reads 09:00 as theirs."""
    home = settings.VIP_HOME_ZONE
    return "" if timezone.get_current_timezone_name() == home else home
