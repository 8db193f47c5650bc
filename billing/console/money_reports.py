"""Reports of money: by month, what renews, who is at risk."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from billing import figures
from membership import calendar, months
from membership.console import reports
from membership.console.reports import Column, Money, Report, Row, Share, Table, Whose

if TYPE_CHECKING:
    from datetime import datetime

MONTHS = 24
SPAN = timedelta(days=30)


def money(at: datetime) -> Table:
    told = figures.flows(months.last(MONTHS, at))[::-1]
    columns = [
        Column(_("Month")),
        Column(_("Currency")),
        Column(_("Paid"), drawn=True),
        Column(_("Given back"), drawn=True),
        Column(_("Disputes lost"), drawn=True),
        Column(_("Kept")),
    ]
    return Table(columns, [[f.month, f.currency, *(Money(sum_, f.currency) for sum_ in (*f[2:], f.net))] for f in told])


def offline(at: datetime) -> Table:
    told = figures.offline(months.last(MONTHS, at))[::-1]
    columns = [Column(_("Month")), Column(_("Currency")), Column(_("Payments")), Column(_("Paid"), drawn=True)]
    return Table(columns, [[one.month, one.currency, one.payments, Money(one.amount, one.currency)] for one in told])


def renewals(at: datetime) -> Table:
    """Three spans of thirty days that are over, and three to come."""
    spans = [(at + n * SPAN, at + (n + 1) * SPAN) for n in range(-3, 3)]
    found = [one for span in spans for one in figures.renewals(*span)]
    columns = [
        Column(_("From")),
        Column(_("Until")),
        Column(_("Currency")),
        Column(_("Terms ending")),
        Column(_("Renewed"), drawn=True),
        Column(_("Awaited"), drawn=True),
        Column(_("Not paid")),
        Column(_("Leaving")),
        Column(_("Paid, of those that were to be")),
        Column(_("Expected")),
    ]
    rows: list[Row] = [
        [
            one.starts_at.date(),
            one.ends_at.date(),
            one.currency,
            *(one.ending, one.renewed, one.awaited, one.unpaid, one.leaving),
            Share(one.renewed, one.ending - one.leaving),
            Money(one.expected, one.currency),
        ]
        for one in found
    ]
    return Table(columns, rows)


def at_risk(at: datetime) -> Table:
    columns = [
        Column(_("Member")),
        Column(_("Valid until")),
        Column(_("Days left")),
        Column(_("Currency")),
        Column(_("Pays")),
        Column(_("Had so far")),
        Column(_("Had, of what it costs")),
        Column(_("Why at risk")),
    ]
    rows: list[Row] = [
        [
            Whose.of(one.membership.member),
            calendar.last_day(one.renews_at, one.membership.time_zone),
            _days_left(one, at),
            one.currency,
            Money(one.fee, one.currency),
            Money(one.worth, one.currency),
            Share(one.worth, one.fee),
            _why(one, at),
        ]
        for one in figures.at_risk(at)
    ]
    return Table(columns, rows)


def _days_left(one: figures.AtRisk, at: datetime) -> int:
    return (one.renews_at.astimezone(ZoneInfo(one.membership.time_zone)).date() - at.date()).days


def _why(one: figures.AtRisk, at: datetime) -> str:
    days = _days_left(one, at)
    said = ngettext(
        "Used %(worth)s, renews for %(fee)s in %(days)s day",
        "Used %(worth)s, renews for %(fee)s in %(days)s days",
        days,
    )
    return said % {"worth": Money(one.worth, one.currency), "fee": Money(one.fee, one.currency), "days": days}


reports.register(
    Report(
        code="money",
        label=_("Money by month"),
        about=_(
            "Kept = paid − given back − disputes lost; Stripe's fees are not in it. Paid counts in the month the "
            "invoice was paid, given back in the month it was decided (a refund that failed is none), a dispute when "
            "the bank found for its customer. Currencies are never added up together."
        ),
        make=money,
        order=30,
    )
)
reports.register(
    Report(
        code="offline",
        label=_("Paid offline, by month"),
        about=_(
            "What staff recorded as paid at the counter or by transfer, by the day paid. Stripe knows nothing of it, "
            "and it is not in “Money by month”. Currencies are never added up together."
        ),
        make=offline,
        order=35,
    )
)
reports.register(
    Report(
        code="renewals",
        label=_("Renewals, ninety days back and ahead"),
        about=_(
            "Every term that ended, or will end, in the span; days given free put the end off. Renewed: another one "
            "follows. Awaited: a charge is still to come, or is being tried. Not paid: it never came. Leaving: "
            "canceled before, or ended. Paid share = renewed / (terms ending − leaving). Expected: what the awaited "
            "ones are charged, at the price each holds."
        ),
        make=renewals,
        order=40,
    )
)
reports.register(
    Report(
        code="at-risk",
        label=_("Members at risk"),
        about=_(
            "Who renews within sixty days and has had less of the running term than the next one costs: what their "
            "perks were worth to them in the value ledger, beside the price they hold. The next to renew first, two "
            "hundred at most."
        ),
        make=at_risk,
        empty=_("Nobody is at risk now"),
        order=60,
    )
)
