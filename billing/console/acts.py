"""What staff do to a membership: hold and lift, extend free of charge, cancel, resume. The verbs are the product's own,
the same that members' pages and commands call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import extension, holds, leaving, next_charge, outlook
from billing.outlook import Kind
from membership import lifecycle, standing
from membership.console.acts import Act, ActForm, Case, offer
from membership.models import Stop
from membership.templatetags import vip

if TYPE_CHECKING:
    from membership.models import Membership

MOST_DAYS = 365


def last_day(membership: Membership) -> str:
    return vip.last_day(membership.entitled_until, membership.time_zone)


def renewal(membership: Membership, words: str, otherwise: str, **facts: str) -> str:
    """A sentence about the next charge, with its amount and day, or another where none is to come."""
    price, charge_at = next_charge.price(membership), outlook.charge_at(membership)
    if not membership.renewal_expected or price is None or charge_at is None:
        return otherwise
    return words % {"amount": vip.money(price.amount, price.currency), "day": vip.day(charge_at), **facts}


def staffs_stop(membership: Membership) -> Stop | None:
    open_stops = [stop for stop in membership.stops.all() if stop.lifted_at is None]
    return next((stop for stop in open_stops if stop.source == Stop.Source.STAFF), None)


def runs(case: Case) -> bool:
    """Whether there is a membership that somebody has, on hold or not."""
    membership = case.membership
    return membership is not None and standing.at(membership, case.at) in standing.HELD


class DaysForm(ActForm):
    days = forms.IntegerField(label=_("Days"), min_value=1, max_value=MOST_DAYS)


@offer
class Extend(Act):
    name, order = "extend", 10
    label, button, done = _("Extend free of charge"), _("Give these days"), _("The days are given.")
    about = _("Free days behind the time that is paid. The next charge waits for them.")

    form = DaysForm

    def fits(self, case: Case) -> bool:
        """Not while a renewal is being collected: there is no charge that could wait."""
        charge_at = outlook.charge_at(case.held) if runs(case) else None
        due_later = charge_at is not None and charge_at > case.at
        return due_later and case.held.status in lifecycle.LIVING and case.held.cut_at is None

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        proposal = extension.propose(membership=case.held, days=asked["days"], at=case.at)
        extension.ask_stripe(proposal, case.held)
        days = {
            "before": last_day(case.held),
            "after": vip.last_day(proposal.entitled_until, case.held.time_zone),
        }
        money = renewal(
            case.held,
            gettext("The next charge of %(amount)s moves from %(day)s to %(later)s."),
            gettext("No further charge is due: nothing is charged."),
            later=vip.day(proposal.ends_at),
        )
        return [
            gettext("The last day moves from %(before)s to %(after)s.") % days,
            money,
            gettext("The member is told by mail."),
        ]

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        extension.extend(
            membership=case.held,
            days=asked["days"],
            reason=asked["reason"],
            ref=asked["once"],
            at=case.at,
            actor=case.staff.actor,
        )


@offer
class Suspend(Act):
    name, order = "suspend", 20
    label, button, done = _("Put on hold"), _("Put it on hold"), _("It is on hold.")
    about = _("Perks and card stop at once, until somebody lifts the hold.")

    def fits(self, case: Case) -> bool:
        return runs(case) and case.held.status in lifecycle.LIVING and staffs_stop(case.held) is None

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        return [
            gettext("From now on no perk is given, and the card is not accepted."),
            gettext("The time that is paid runs on: its last day stays %(day)s.") % {"day": last_day(case.held)},
            renewal(
                case.held,
                gettext("The renewal of %(amount)s on %(day)s is not collected while the hold lasts."),
                gettext("No further charge is due."),
            ),
        ]

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        holds.suspend(membership=case.held, reason=asked["reason"], at=case.at, actor=case.staff.actor)


@offer
class Lift(Act):
    name, order = "lift", 20
    label, button, done = _("Lift the hold"), _("Lift the hold"), _("The hold is lifted.")
    about = _("Ends the hold that staff put on it. One that a dispute at the bank opened stays.")

    def fits(self, case: Case) -> bool:
        return case.membership is not None and staffs_stop(case.membership) is not None

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        if sum(stop.lifted_at is None for stop in case.held.stops.all()) > 1:
            return [gettext("The staff's hold ends; another one stays, and with it perks and card stay stopped.")]
        return [
            gettext("Perks and card work again at once, until %(day)s.") % {"day": last_day(case.held)},
            renewal(
                case.held,
                gettext("The renewal of %(amount)s on %(day)s is collected again."),
                gettext("No further charge is due."),
            ),
        ]

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        holds.lift(membership=case.held, reason=asked["reason"], at=case.at, actor=case.staff.actor)


@offer
class Cancel(Act):
    name, order = "cancel", 30
    label, button, done = (
        _("Cancel the membership"),
        _("Cancel the membership"),
        _("Canceled. Nothing more will be charged."),
    )
    about = _("As the member's own cancel page does it.")

    def fits(self, case: Case) -> bool:
        return case.membership is not None and outlook.can_cancel(case.membership, at=case.at)

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        ahead = outlook.of(case.member, at=case.at)
        if not ahead.can_cancel:
            raise lifecycle.NotPossible
        if ahead.kind == Kind.PLACE:
            return [gettext("The place that was kept is given back. Nothing was paid, and nothing will be charged.")]
        if ahead.kind == Kind.AT_ONCE:
            return [gettext("It ends now, because its renewal is unpaid."), self._unpaid(ahead)]
        lines = [
            renewal(
                case.held,
                gettext("The renewal of %(amount)s on %(day)s will not be charged."),
                gettext("Nothing more will be charged."),
            ),
            gettext("It goes on to its last day, %(day)s; until then this can be taken back.")
            % {"day": last_day(case.held)},
        ]
        return lines + ([gettext("The hold stays.")] if ahead.kind == Kind.ON_HOLD else [])

    def _unpaid(self, ahead: outlook.Outlook) -> str:
        if ahead.unpaid is None:
            return gettext("Nothing more will be charged.")
        amount = vip.money(ahead.unpaid.amount_due, ahead.unpaid.currency)
        return gettext("The open invoice of %(amount)s is dropped: nothing more will be charged.") % {"amount": amount}

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        promised = outlook.of(case.member, at=case.at).kind.value
        leaving.cancel(membership=case.held, at=case.at, actor=case.staff.actor, promised=promised)


@offer
class Resume(Act):
    name, order = "resume", 30
    label, button, done = _("Take the cancellation back"), _("Let it renew"), _("It renews again.")
    about = _("Only when the member asked for it: they are charged again.")

    def fits(self, case: Case) -> bool:
        canceled = runs(case) and outlook.kind_of(case.held, at=case.at) == Kind.CANCELED
        return canceled and outlook.can_stay(case.held)

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        if not self.fits(case):
            raise lifecycle.NotPossible
        price, charge_at = next_charge.price(case.held), outlook.charge_at(case.held)
        assert price is not None
        charge = {"amount": vip.money(price.amount, price.currency), "day": vip.day(charge_at)}
        return [gettext("It renews as before: %(amount)s is charged on %(day)s.") % charge]

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        leaving.stay(membership=case.held, at=case.at, actor=case.staff.actor)
