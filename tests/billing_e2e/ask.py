"""A scenario's check: ask the perk API, as a shop would, how its member stands.

    python -m tests.billing_e2e.ask standing=current until="1 year" [but=standing|until]

`until` counts from the subscription's start: "1 year", "30 days + 1 year", or none; perks go on to the first midnight
after it, in the member's zone. With `but` the expectation named is turned into a wrong one. Exit code 0: so it is,
1: it is otherwise, 2: nobody answered. It shares no code with the product.
"""

from __future__ import annotations

import calendar
import json
import os
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Amsterdam")  # of everybody who has not chosen one
WRONG_STANDING = {"current": "ended"}  # any other becomes "current"


def main(*given: str) -> int:
    expected = dict(one.split("=", 1) for one in given)
    but = expected.pop("but", "")
    try:
        member, start = _member(), _start() if "until" in expected else 0
    except (OSError, KeyError) as trouble:
        print(f"nobody answered: {trouble!r}")
        return 2
    wanted = {name: _wanted(name, value, start) for name, value in expected.items()}
    if but:
        wanted[but] = _otherwise(wanted[but])
    seen = {"standing": member.get("standing"), "until": _moment(member.get("entitled_until"))}
    wrong = [f"{name} is {seen[name]}, not {value}" for name, value in wanted.items() if seen[name] != value]
    print("; ".join(wrong) or f"standing {seen['standing']}, entitled until {seen['until']}")
    return 1 if wrong else 0


def _wanted(name: str, value: str, start: int) -> Any:
    return value if name == "standing" else None if value == "none" else first_midnight_after(later(start, value))


def _otherwise(value: Any) -> Any:
    if isinstance(value, datetime):
        return value + timedelta(days=1)
    return datetime.now(UTC) if value is None else WRONG_STANDING.get(value, "current")


def later(start: int, words: str) -> datetime:
    """ "30 days + 1 year" after the start; years keep the day, or take the month's last."""
    moment = datetime.fromtimestamp(start, UTC)
    for part in words.split("+"):
        amount, unit = part.split()
        if unit.startswith("day"):
            moment += timedelta(days=int(amount))
        else:
            year = moment.year + int(amount)
            day = min(moment.day, calendar.monthrange(year, moment.month)[1])
            moment = moment.replace(year=year, day=day)
    return moment


def first_midnight_after(moment: datetime) -> datetime:
    local = moment.astimezone(ZONE)
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _member() -> dict[str, Any]:
    question = {"member": {"customer_ref": os.environ["BILLING_E2E_RUN"]}, "perks": ["free-shipping"]}
    asked = _call(f"{os.environ['VIP_URL']}/api/v1/perk-checks", os.environ["VIP_API_KEY"], question)
    return dict(asked["member"] or {})


def _start() -> int:
    url = f"{os.environ['VIP_URL']}/stripe/v1/subscriptions/{os.environ['BILLING_E2E_SUBSCRIPTION']}"
    return int(_call(url, "sk_test_local")["start_date"])


def _call(url: str, key: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)  # type: ignore[no-any-return]
    except urllib.error.HTTPError as error:
        raise OSError(f"{url} answered {error.code}: {error.read()[:300]!r}") from error


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
