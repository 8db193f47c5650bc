"""What the console's reports say, beside what can be seen without them: money from Stripe's own lists, month by month
and to the cent; members by asking each of them.

The reports are asked as a page asks them, for their tables. Of what is not compared here there is a set worked out by
hand (tests/console/test_reports.py).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings

from billing import gateway
from billing.console import money_reports
from billing.rehearsal.books import GIVEN_BACK
from membership import months, standing
from membership.console import members_report
from membership.console.reports import Money
from membership.models import OPEN, Membership
from membership.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COLUMNS = ("paid", "given back", "lost", "kept")
STAYS = frozenset({Standing.CURRENT, Standing.GRACE, Standing.PAUSED, Standing.SUSPENDED})


def wrong_about_members(at: datetime) -> list[str]:
    """Where "members by tier and standing", or those who joined and have not left, is not what everybody answers."""
    everybody = list(Membership.objects.with_facts())
    standings = [(one, standing.at(one, at)) for one in everybody]
    open_ones = ((one, now) for one, now in standings if one.status in OPEN)
    expected = Counter(f"{_tier(one, at)}, {now.value}" for one, now in open_ones)
    found = Counter({f"{tier}, {now.value}": told for tier, now, told in _by_tier(at) if told})
    stayed = Counter({"at the end": sum(now in STAYS for one, now in standings if one.terms.all())})
    return [
        *_differences("Members by tier and standing", expected, found),
        *_differences("Joined, left and stayed", stayed, Counter({"at the end": _now_members(at)})),
    ]


def wrong_about_money(at: datetime) -> list[str]:
    """The months in which "Money by month" is not what Stripe's lists give. Raises StripeUnavailable."""
    told: dict[str, int] = {}
    table = money_reports.money(at)
    for month, currency, *sums in table.rows:
        for name, one in zip(COLUMNS, sums, strict=True):
            if isinstance(one, Money) and one.amount:
                told[f"{month} {currency} {name}"] = one.amount
    first = str(months.last(money_reports.MONTHS, at)[0])  # not the table's: it may lack its oldest
    expected = {key: amount for key, amount in _moved().items() if key >= first}
    return _differences("Money by month", Counter(expected), Counter(told))


def _moved() -> Mapping[str, int]:
    stripe = gateway.client().v1
    sums: defaultdict[str, int] = defaultdict(int)
    for charge in gateway.read_all(stripe.charges.list, {}):
        if charge["paid"]:
            sums[_key(charge["created"], charge, "paid")] += charge["amount_captured"]
    for refund in gateway.read_all(stripe.refunds.list, {}):
        if refund["status"] in GIVEN_BACK:
            sums[_key(refund["created"], refund, "given back")] += refund["amount"]
    for event in gateway.read_all(stripe.events.list, {"type": "charge.dispute.closed"}):
        dispute = event["data"]["object"]
        if dispute["status"] == "lost":
            sums[_key(event["created"], dispute, "lost")] += dispute["amount"]
    for key, amount in list(sums.items()):
        month, currency, column = key.split(" ", 2)
        sums[f"{month} {currency} kept"] += amount if column == "paid" else -amount
    return sums


def _key(moment: int, thing: dict[str, Any], column: str) -> str:
    """Months are those of the programme's home."""
    day = datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(settings.VIP_HOME_ZONE))
    return f"{day:%Y-%m} {thing['currency'].upper()} {column}"


def _by_tier(at: datetime) -> Iterator[tuple[str, Standing, int]]:
    for tier, *counts in members_report.standings(at).rows:
        for now, told in zip(members_report.SHOWN, counts, strict=True):
            yield str(tier), now, int(str(told))


def _tier(membership: Membership, at: datetime) -> str:
    held = standing.tier_at(membership, at)
    return held.name if held else "No tier yet"


def _now_members(at: datetime) -> int:
    running = str(months.last(1, at)[0])
    return next((int(str(row[4])) for row in members_report.movements(at).rows if row[0] == running), 0)


def _differences(report: str, expected: Counter[str], found: Counter[str]) -> list[str]:
    return [
        f"{report}, {key}: {found[key]} told, {expected[key]} is so"
        for key in sorted({*expected, *found})
        if expected[key] != found[key]
    ]
