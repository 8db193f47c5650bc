"""Goodwill: a perk given beside what was bought, until a day, by somebody who answers for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from membership import calendar, standing
from membership.console.acts import Act, ActForm, Case, offer
from membership.errors import DomainError
from membership.templatetags import vip
from perks import goodwill, members
from perks.kinds.base import localized
from perks.models import Perk

if TYPE_CHECKING:
    from datetime import datetime

LONGEST = timedelta(days=366)
USUAL = timedelta(days=30)


class TooLate(DomainError):
    """Beyond the membership it would count for nothing."""

    code = "goodwill_too_long"
    status = 422
    message = gettext_noop("Goodwill lasts until the membership's last day at most, and no longer than a year.")


class GoodwillForm(ActForm):
    perk = forms.ChoiceField(label=_("Perk"))
    last_day = forms.DateField(label=_("Last day"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        perks = Perk.objects.filter(published=True).order_by("code")
        choices: Any = self.fields["perk"]
        self.fields["last_day"].initial = (self.case.at + USUAL).date()
        choices.choices = [(perk.code, localized(perk.names)) for perk in perks]


@offer
class Goodwill(Act):
    name, order = "goodwill", 50
    label, button, done = _("Give a perk"), _("Give it"), _("The perk is given.")
    about = _("Beside what was bought, as the member's tier has it; it counts while the membership counts.")
    form = GoodwillForm

    def fits(self, case: Case) -> bool:
        membership = case.membership
        return membership is not None and standing.at(membership, case.at) in standing.HONORED

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        until = _until(case, asked)
        perk = Perk.objects.get(code=asked["perk"])
        settings = goodwill.settings_for(case.held, perk)
        facts = {"perk": members.words(perk.kind, settings), "day": vip.last_day(until, case.held.time_zone)}
        return [
            gettext("The member gets, from now on: %(perk)s.") % facts,
            gettext("It counts until %(day)s, and ends by itself.") % facts,
            gettext("Nothing is charged."),
        ]

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        goodwill.give(
            membership=case.held,
            perk=Perk.objects.get(code=asked["perk"]),
            until=_until(case, asked),
            reason=asked["reason"],
            at=case.at,
            actor=case.staff.actor,
            once=asked["once"],
        )


def _until(case: Case, asked: dict[str, Any]) -> datetime:
    """The moment at which the named last day is over where the membership is at home. Raises TooLate, EndsTooEarly."""
    zone, last = case.held.time_zone, asked["last_day"]
    today = case.at.astimezone(ZoneInfo(zone)).date()
    if last < today:
        raise goodwill.EndsTooEarly
    if last > today + LONGEST:
        raise TooLate
    until = calendar.day_start(last + timedelta(days=1), zone)
    if until > max(filter(None, (case.held.entitled_until, standing.grace_until(case.held))), default=until):
        raise TooLate
    return until
