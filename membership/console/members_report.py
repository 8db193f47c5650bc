"""Reports of the roll: who stands where, who joined, who left, who stayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership import months, roll
from membership.console import reports
from membership.console.reports import Column, Report, Row, Share, Table
from membership.models import Tier
from membership.standing import Standing

if TYPE_CHECKING:
    from datetime import datetime

MONTHS = 24
YEAR = 12
SHOWN = {
    Standing.CURRENT: _("Current"),
    Standing.GRACE: _("In grace"),
    Standing.PAUSED: _("Paused"),
    Standing.SUSPENDED: _("Suspended"),
    Standing.LAPSED: _("Lapsed"),
    Standing.ENDED: _("Ended"),
    Standing.PENDING: _("Not yet paid"),
}


def standings(at: datetime) -> Table:
    """A row a tier, the highest first, and what is not yet in any."""
    counts = roll.by_tier_and_standing(at)
    tiers = [(tier.code, tier.name) for tier in Tier.objects.order_by("-rank")]
    known = [*tiers, ("", gettext("No tier yet"))]
    rows: list[Row] = [
        [name, *(counts[code, one] for one in SHOWN)] for code, name in known if code or counts["", Standing.PENDING]
    ]
    columns = [Column(_("Tier")), *(Column(words, drawn=one == Standing.CURRENT) for one, words in SHOWN.items())]
    return Table(columns, rows if sum(counts.values()) else [])


def movements(at: datetime) -> Table:
    """Month by month, the newest first, and the last twelve that are over as one."""
    told = roll.movements(months.last(MONTHS + 1, at), at)
    year = roll.as_one(gettext("12 months"), told[-YEAR - 1 : -1])
    rows: list[Row] = [
        [m.label, m.at_start, m.joined, m.left, m.at_end, Share(m.stayed, m.at_start)] for m in (year, *told[::-1])
    ]
    columns = [
        Column(_("Month")),
        Column(_("At the start")),
        Column(_("Joined"), drawn=True),
        Column(_("Left"), drawn=True),
        Column(_("At the end")),
        Column(_("Retention")),
    ]
    return Table(columns, [row for row in rows if any(row[1:5])])


reports.register(
    Report(
        code="members",
        label=_("Members by tier and standing"),
        about=_(
            "Everybody who holds a place now, as a shop's checkout would be told. Current: paid, perks work. In grace: "
            "the renewal was not paid yet, perks work. Paused and suspended: perks rest. Not yet paid: at the "
            "checkout. Lapsed and ended: the last day is over or cut short, and the place is given back in a "
            "moment; who has left stands under “Joined, left and stayed”."
        ),
        make=standings,
        order=10,
    )
)
reports.register(
    Report(
        code="retention",
        label=_("Joined, left and stayed"),
        about=_(
            "Retention = (members at the end − joined) / members at the start. Joined: the first term began. Left: the "
            "last day that was paid for is over, and no renewal came in time; who is in grace has not left. Who "
            "leaves in the month they joined lowers retention too. Months are those of the programme's home; the one "
            "that runs is told up to now. “12 months” are the last twelve that are over, as one."
        ),
        make=movements,
        order=20,
    )
)
