"""Terms that staff add: free of charge, or for money that came at the counter or by transfer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import given, offline
from billing.console.acts import renewal
from billing.console.refunding import NotYourOwn
from billing.models import OfflinePayment
from membership import calendar, numbers, standing
from membership.console.acts import Act, ActForm, Case, offer
from membership.errors import DomainError
from membership.models import Plan, Price
from membership.roles import Permission
from membership.templatetags import vip

if TYPE_CHECKING:
    from billing.given import Placed


def plan_words(plan: Plan) -> str:
    return f"{plan.tier.name}, {plan.get_interval_display()}"


def dates(case: Case, placed: Placed) -> list[str]:
    """From when to when, in which tier, and what is held until then."""
    zone = placed.membership.time_zone if placed.membership else case.member.user.time_zone
    facts = {
        "tier": placed.plan.tier.name,
        "start": vip.day(placed.starts_at),
        "end": vip.day(calendar.last_day(placed.entitled_until, zone)),
    }
    if placed.membership is None:
        return [gettext("A new membership begins now: %(tier)s until %(end)s, with a card and a welcome mail.") % facts]
    told = [gettext("%(tier)s from %(start)s to %(end)s, behind what they have.") % facts]
    held = standing.tier_at(placed.membership, case.at)
    if held is not None and held != placed.plan.tier:
        told.append(gettext("Until then they hold %(tier)s.") % {"tier": held.name})
    return told


def refuse_own(case: Case) -> None:
    """Raises NotYourOwn."""
    if case.member.user_id == case.staff.user_id:
        raise NotYourOwn


class GiveForm(ActForm):
    plan = forms.ModelChoiceField(label=_("Plan"), queryset=Plan.objects.none(), empty_label=None)
    months = forms.IntegerField(
        label=_("Months"),
        min_value=1,
        max_value=given.MOST_MONTHS,
        initial=given.MOST_MONTHS,
        help_text=_("12 at most: a year."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["plan"]
        choice.queryset = Plan.objects.filter(published=True).select_related("tier")
        choice.label_from_instance = plan_words


@offer
class GiveTerm(Act):
    name, order = "give-term", 12
    label, button, done = _("Give a term free of charge"), _("Give this term"), _("The term is given.")
    about = _("A term that nobody pays, behind what they have or as a new membership. The next charge waits for it.")
    permission, form = Permission.TERMS, GiveForm

    def fits(self, case: Case) -> bool:
        return can_follow(case)

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        refuse_own(case)
        length = given.months(asked["months"])
        placed = given.place(member=case.member, plan=asked["plan"], length=length, at=case.at)
        given.ask_stripe(placed)
        told = dates(case, placed)
        if placed.membership is None:
            return [*told, gettext("Nothing is charged, and it ends by itself.")]
        free = gettext("No further charge is due: nothing is charged.")
        moves = gettext("The next charge of %(amount)s moves from %(day)s to %(later)s.")
        money = renewal(placed.membership, moves, free, later=vip.day(placed.ends_at))
        return [*told, money, gettext("The member is told by mail.")]

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        refuse_own(case)
        given.give(
            member=case.member,
            plan=asked["plan"],
            count=asked["months"],
            currency=given.currency_of(case.member, plan=asked["plan"]),
            behind=given.ending(case.membership, at=case.at),
            ref=asked["once"],
            at=case.at,
            actor=case.staff.actor,
        )


def can_follow(case: Case) -> bool:
    """Whether a term could be added at all: not while they pay, or a renewal is collected, or an end is decided."""
    own = case.membership
    if own is None or standing.at(own, case.at) in given.OVER:
        return True
    try:
        given.can_be_followed(own, case.at)
    except DomainError:
        return False
    return True


class PaidForm(ActForm):
    price = forms.ModelChoiceField(label=_("What was paid"), queryset=Price.objects.none(), empty_label=None)
    means = forms.ChoiceField(label=_("How"), choices=OfflinePayment.Means.choices)
    reference = forms.CharField(
        label=_("Reference"),
        max_length=40,
        help_text=_("The number on the receipt, or the bank's for the transfer. It can be recorded once."),
    )
    paid_on = forms.DateField(label=_("Paid on"), widget=forms.DateInput({"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["price"]
        current = Price.objects.filter(retired_at=None, amount__gt=0, plan__published=True)
        choice.queryset = current.select_related("plan__tier").order_by("plan__tier__rank", "plan__code", "currency")
        choice.label_from_instance = lambda p: f"{plan_words(p.plan)}: {vip.money_exact(p.amount, p.currency)}"


@offer
class RecordPayment(Act):
    name, order = "paid-offline", 14
    label, button, done = _("Record a payment made offline"), _("Record it"), _("The payment is recorded.")
    about = _("A plan's price, paid at the counter or by transfer. It adds a term; the member has a receipt by mail.")
    permission, form = Permission.TERMS, PaidForm

    def fits(self, case: Case) -> bool:
        return can_follow(case)

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        refuse_own(case)
        price: Price = asked["price"]
        facts = {"member": case.member, "price": price, "reference": asked["reference"], "paid_on": asked["paid_on"]}
        placed = offline.place(**facts, at=case.at)
        told = {
            "amount": vip.money_exact(price.amount, price.currency),
            "day": vip.day(asked["paid_on"]),
            "reference": offline.folded(asked["reference"]),
            "name": case.member.name,
            "number": numbers.group(case.member.number),
        }
        return [
            gettext("%(amount)s of %(day)s, reference %(reference)s, is recorded for %(name)s, %(number)s.") % told,
            *dates(case, placed),
            gettext("It does not renew by itself. Nothing is charged at Stripe, and Stripe cannot give it back."),
            gettext("The member has a receipt by mail."),
        ]

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        refuse_own(case)
        offline.record(
            member=case.member,
            price=asked["price"],
            means=asked["means"],
            reference=asked["reference"],
            paid_on=asked["paid_on"],
            behind=given.ending(case.membership, at=case.at),
            at=case.at,
            actor=case.staff.actor,
        )
