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
from perks.models import Grant, Perk

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

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


class TakeBackForm(ActForm):
    given = forms.ModelChoiceField(label=_("Perk"), queryset=Grant.objects.none(), empty_label=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["given"]
        choice.queryset = running_goodwill(self.case)
        choice.label_from_instance = told_of_grant


def running_goodwill(case: Case) -> QuerySet[Grant]:
    """What was given beside what was bought, and counts now."""
    own = Grant.objects.filter(membership=case.membership, source=Grant.Source.GOODWILL)
    return own.filter(starts_at__lte=case.at, ends_at__gt=case.at).select_related("perk", "membership").order_by("pk")


def told_of_grant(grant: Grant) -> str:
    facts = {"perk": localized(grant.perk.names), "day": vip.last_day(grant.ends_at, grant.membership.time_zone)}
    return gettext("%(perk)s, until %(day)s") % facts


@offer
class TakeGoodwillBack(Act):
    name, order = "goodwill-back", 51
    label, button, done = _("Take a given perk back"), _("Take it back"), _("The perk has ended.")
    about = _("A perk of goodwill ends now, before its last day. What was used of it stays used.")
    form = TakeBackForm

    def fits(self, case: Case) -> bool:
        return case.membership is not None and running_goodwill(case).exists()

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        grant: Grant = asked["given"]
        return [
            gettext("The member loses this at once: %(perk)s.")
            % {"perk": members.words(grant.perk.kind, grant.settings)},
            gettext("It was given for: “%(reason)s”. Nothing is charged, and what they bought stays.")
            % {"reason": grant.reason},
        ]

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        goodwill.take_back(grant=asked["given"], at=case.at, actor=case.staff.actor)


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
