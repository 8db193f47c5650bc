"""What the console's reports say, beside what can be seen without them: where members stand, money, who joined and
left, and renewals from Stripe's own lists (at_stripe.py), month by month and to the cent; the use of perks and what was
paid offline from the till's own book (till.py).

The reports are asked as a page asks them, for their tables.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext

from billing import figures, gateway
from billing.console import money_reports
from billing.models import Customer
from billing.rehearsal.at_stripe import Became
from billing.rehearsal.books import GIVEN_BACK
from membership import months, standing
from membership.console import members_report
from membership.console.reports import Money, Share, Whose
from membership.models import OPEN, Membership, Plan
from membership.standing import HELD, Standing
from perks.console import perks_report
from perks.kinds.base import localized
from perks.models import Perk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from billing.rehearsal.at_stripe import Life
    from billing.rehearsal.till import Paid, Use
    from membership.console.reports import Table
    from membership.months import Month

COLUMNS = ("paid", "given back", "lost", "kept")


def wrong_about_members(at: datetime, lives: Iterable[Life]) -> list[str]:
    """Where "members by tier and standing", or those who joined and have not left, is not what became of what was paid.

    Places that nobody has paid for, or that are given back in a moment, Stripe knows nothing of: there, each is asked.
    """
    sold = {f"vip-{plan.tier.code}": plan for plan in Plan.objects.select_related("tier")}
    everybody = list(Membership.objects.with_facts())
    standings = [(one, standing.at(one, at)) for one in everybody]
    unpaid = ((one, now) for one, now in standings if one.status in OPEN and now not in HELD)
    expected = Counter(f"{_tier(one, at)}, {now.value}" for one, now in unpaid)
    for life in lives:
        plan = sold[life.product]
        if now := life.standing(at, timedelta(days=plan.grace_days)):
            expected[f"{plan.tier.name}, {now}"] += 1
    found = Counter({f"{tier}, {now.value}": told for tier, now, told in _by_tier(at) if told})
    stayed = Counter({"at the end": sum(now in HELD for one, now in standings if one.terms.all())})
    return [
        *_differences("Members by tier and standing", expected, found),
        *_differences("Joined, left and stayed", stayed, Counter({"at the end": _now_members(at)})),
    ]


def wrong_about_money(at: datetime) -> list[str]:
    """The months in which "Money by month" is not what Stripe's lists give, also those that it no longer shows.

    Raises StripeUnavailable.
    """
    expected, told = _moved(), dict[str, int]()
    while True:
        told.update(_by_month(money_reports.money(at)))
        first = months.last(money_reports.MONTHS, at)[0]  # not the table's: it may lack its oldest
        if all(key >= str(first) for key in expected):
            return _differences("Money by month", Counter(expected), Counter(told))
        at = first.starts_at - timedelta(seconds=1)


def wrong_about_movements(at: datetime, lives: Sequence[Life]) -> list[str]:
    """The months in which "Joined, left and stayed" is not what became of the subscriptions that were paid."""
    joined = [one.joined_at for one in lives]
    left = [moment for one in lives if (moment := one.left_at(at))]
    expected, told = Counter[str](), Counter[str]()
    shown = months.last(members_report.MONTHS + 1, at)
    for label, first, last in ((str(one), one, one) for one in shown):
        expected += _moves(label, first, last, joined, left)
    year = shown[-members_report.YEAR - 1 : -1]
    expected += _moves(gettext("12 months"), year[0], year[-1], joined, left)
    for month, *counts, retention in members_report.movements(at).rows:
        named = zip(("at the start", "joined", "left", "at the end"), counts, strict=True)
        told += Counter({f"{month} {name}": int(str(count)) for name, count in named})
        told[f"{month} stayed"] += retention.part if isinstance(retention, Share) else 0
    return _differences("Joined, left and stayed", expected, told)


def _moves(label: str, first: Month, last: Month, joined: Iterable[datetime], left: Iterable[datetime]) -> Counter[str]:
    """Who leaves does so at a midnight, which is the day before's."""
    came = sum(first.starts_at <= moment < last.ends_at for moment in joined)
    went = sum(first.starts_at < moment <= last.ends_at for moment in left)
    start = sum(moment < first.starts_at for moment in joined) - sum(moment <= first.starts_at for moment in left)
    counts = {"at the start": start, "joined": came, "left": went, "at the end": start + came - went}
    return Counter({f"{label} {name}": count for name, count in (counts | {"stayed": start - went}).items()})


def wrong_about_offline(at: datetime, counter: Iterable[Paid]) -> list[str]:
    """The months in which "Paid offline" is not what the counter took."""
    shown = {str(month) for month in months.last(money_reports.MONTHS, at)}
    expected, told = Counter[str](), Counter[str]()
    for paid in counter:
        if (of := f"{paid.on:%Y-%m}") in shown:
            expected += Counter({f"{of} EUR payments": 1, f"{of} EUR paid": paid.amount})
    for month, currency, payments, sum_ in money_reports.offline(at).rows:
        told[f"{month} {currency} payments"] += int(str(payments))
        told[f"{month} {currency} paid"] += sum_.amount if isinstance(sum_, Money) else 0
    return _differences("Paid offline", expected, told)


def wrong_about_renewals(at: datetime, lives: Iterable[Life]) -> list[str]:
    """The spans in which "Renewals" is not what became, or will, of the periods that were paid for."""
    endings = [(ends_at, became, life) for life in lives for ends_at, became in life.endings()]
    expected, told = Counter[str](), Counter[str]()
    for n in range(-3, 3):
        begins, ends = at + n * money_reports.SPAN, at + (n + 1) * money_reports.SPAN
        for ends_at, became, life in endings:
            if begins <= ends_at < ends:
                key = f"{begins:%Y-%m-%d} {life.currency}"
                expected += Counter({f"{key} ending": 1, f"{key} {became.value}": 1})
                expected[f"{key} expected"] += life.next_charge if became is Became.AWAITED else 0
    names = ("ending", *(one.value for one in Became))
    for begins_on, _until, currency, *counts, _share, sum_ in money_reports.renewals(at).rows:
        for name, count in zip(names, counts, strict=True):
            told[f"{begins_on} {currency} {name}"] += int(str(count))
        told[f"{begins_on} {currency} expected"] += sum_.amount if isinstance(sum_, Money) else 0
    return _differences("Renewals", expected, told)


def wrong_about_perks(at: datetime, uses: Iterable[Use]) -> list[str]:
    """The sums in which "Perks" is not what the till booked in the last 365 days."""
    expected, members = Counter[str](), defaultdict[str, set[str]](set)
    names = {perk.code: localized(perk.names) for perk in Perk.objects.all()}
    for use in uses:
        if at - perks_report.YEAR <= use.at < at:
            name = names[use.perk]
            expected += Counter({f"{name} uses": 1, f"{name} worth": use.worth, f"{name} cost": use.cost})
            members[name].add(use.member)
    for name, who in members.items():
        each = (Decimal(expected[f"{name} cost"]) / len(who)).quantize(Decimal(1), ROUND_HALF_UP)
        expected += Counter({f"{name} members": len(who), f"{name} cost a member": int(each)})
    told = Counter[str]()
    for perk, _currency, *counts in perks_report.use(at).rows:
        for what, one in zip(("uses", "members", "worth", "cost", "cost a member"), counts, strict=True):
            told[f"{perk} {what}"] += one.amount if isinstance(one, Money) else int(str(one))
    return _differences("Perks", expected, told)


def wrong_about_risk(at: datetime, lives: Iterable[Life], uses: Sequence[Use]) -> list[str]:
    """Of whom "Members at risk" does not say what Stripe will ask for, and what the till booked since their term began.

    Whose charge rests is stopped by staff, and not asked to pay.
    """
    expected, told = Counter[str](), Counter[str]()
    numbers = dict(Customer.objects.values_list("stripe_id", "member__number"))
    for life in lives:
        if life.charging and not life.paused and at < life.last_day_ends <= at + figures.RENEWS_WITHIN:
            number, began = numbers[life.customer], life.period(at).starts_at
            worth = sum(use.worth for use in uses if use.member == number and use.at >= began)
            if worth < life.next_charge:
                expected += Counter({f"{number} pays": life.next_charge, f"{number} had": worth})
    for whose, _until, _days, _currency, pays, had, *_rest in money_reports.at_risk(at).rows:
        assert isinstance(whose, Whose)
        assert isinstance(pays, Money)
        assert isinstance(had, Money)
        told += Counter({f"{whose.number} pays": pays.amount, f"{whose.number} had": had.amount})
    return _differences("Members at risk", expected, told)


def _by_month(table: Table) -> Iterator[tuple[str, int]]:
    for month, currency, *sums in table.rows:
        for name, one in zip(COLUMNS, sums, strict=True):
            if isinstance(one, Money) and one.amount:
                yield f"{month} {currency} {name}", one.amount


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
