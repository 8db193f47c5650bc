"""How often a door may be used. Counted in the database by one conditional UPDATE, so it holds across processes.

Wall time: these guard real doors against real people, whatever the demo's clock says.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from membership.errors import DomainError
from membership.models import RateCount


class TooMany(DomainError):
    """The door was used as often as it may be in this window."""

    code = "too_many"
    status = 429
    message = _("That was a little too often. Please wait a while and try again.")  # type: ignore[assignment]


def hit(key: str, *, limit: int, per: timedelta, at: datetime) -> None:
    """Count one use of `key`; at most `limit` in each window of length `per`. Raises TooMany.

    `key` is kept as a digest: rate counts hold no addresses.
    """
    digest = hashlib.sha256(key.encode()).hexdigest()
    window = _window_end(at, per)
    RateCount.objects.get_or_create(key=digest, window_ends_at=window)
    counts = RateCount.objects.filter(key=digest, window_ends_at=window, count__lt=limit)
    if not counts.update(count=F("count") + 1):
        raise TooMany(until=window)


def address_of(request: HttpRequest) -> str:
    """The address a request came from, as far as our own proxies can be trusted to tell; "unknown" where none was told,
    as behind a proxy on a Unix socket."""
    try:
        return str(get_adapter().get_client_ip(request))
    except PermissionDenied:
        return "unknown"


def _window_end(at: datetime, per: timedelta) -> datetime:
    """Windows stand side by side from the epoch, so that every process means the same one."""
    seconds = int(per.total_seconds())
    return datetime.fromtimestamp((int(at.timestamp()) // seconds + 1) * seconds, UTC)
