"""The report of perks: how often each is used, what it is worth to members and what it costs the shop."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from membership.console import reports
from membership.console.reports import Column, Money, Report, Row, Table
from perks import ledger
from perks.kinds.base import localized
from perks.models import Perk

if TYPE_CHECKING:
    from datetime import datetime

YEAR = timedelta(days=365)


def use(at: datetime) -> Table:
    """A row a perk and currency, of the year up to now."""
    names = dict(Perk.objects.values_list("code", "names"))
    columns = [
        Column(_("Perk")),
        Column(_("Currency")),
        Column(_("Uses")),
        Column(_("Members")),
        Column(_("Worth to members"), drawn=True),
        Column(_("Cost to us"), drawn=True),
        Column(_("Cost a member")),
    ]
    rows: list[Row] = [
        [
            localized(names[one.perk]),
            one.currency,
            one.uses,
            one.members,
            Money(one.worth, one.currency),
            Money(one.cost, one.currency),
            Money((2 * one.cost + one.members) // (2 * one.members), one.currency),
        ]
        for one in ledger.use_of_perks(since=at - YEAR, until=at)
    ]
    return Table(columns, rows)


reports.register(
    Report(
        code="perks",
        label=_("Perks: use, worth and cost"),
        about=_(
            "The value ledger of the last 365 days: what was used and not given back. Worth is what it was worth to "
            "the members, cost what it cost the shop, each as the perk's settings said when it was sold. Cost a member "
            "= cost / members who used it, half-up."
        ),
        make=use,
        order=50,
    )
)
