"""What a plan costs who joins from now on: another amount, or another currency, previewed and then asked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import prices
from billing.console.declaring import ReasonForm
from membership import clock, money, pricing
from membership.console import steps
from membership.console.access import act, staff_of
from membership.models import Plan, Price
from membership.roles import Permission
from membership.templatetags import vip

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

STEEP = 2  # times what was asked: more, or less than a part of it, is rather a slip than a price


class PriceForm(forms.Form):
    currency = forms.ChoiceField(label=_("Currency"))
    amount = forms.DecimalField(
        label=_("Price, tax included"),
        help_text=_("What is paid at once, for a month or a year as the plan runs: 119 or 119.00."),
        min_value=Decimal(0),
        max_digits=10,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("It is kept with the change."),
        max_length=200,
        widget=forms.Textarea({"rows": 2}),
    )

    def __init__(self, *args: Any, currencies: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["currency"]
        choice.choices = [(one, one) for one in currencies]

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        amount, currency = told.get("amount"), told.get("currency")
        if amount is None or currency is None:
            return told
        exact = amount * 10 ** money.decimals(currency)
        if exact != exact.to_integral_value():
            self.add_error("amount", gettext("The currency has no such small coins."))
        elif not exact:
            self.add_error("amount", gettext("A membership that costs nothing is given, not sold: name a price."))
        else:
            told["minor"] = int(exact)
        return told


@act(Permission.OFFER)
def change(request: HttpRequest, code: str) -> HttpResponse:
    """Both looks at another price of one plan. Raises Http404."""
    plan = Plan.objects.select_related("tier").filter(code=code).first()
    if plan is None:
        raise Http404
    staff, at = staff_of(request), clock.now()
    form = PriceForm(request.POST if request.method == "POST" else None, currencies=_currencies(plan))

    def preview(asked: dict[str, Any]) -> list[str]:
        was = pricing.live(plan, asked["currency"])
        if was and was.amount == asked["minor"]:
            raise pricing.SamePrice
        return _what_happens(plan, was, asked["minor"], asked["currency"])

    def do(asked: dict[str, Any]) -> None:
        was = pricing.live(plan, asked["currency"])
        wanted = {"plan": plan, "currency": asked["currency"], "amount": asked["minor"]}
        prices.change(**wanted, was=was, at=at, actor=staff.actor)

    step = steps.Step(
        title=gettext("Price of %(plan)s") % {"plan": _name(plan)},
        about=_("For who joins, or changes to this plan, from now on. Who holds a price keeps it at every renewal."),
        button=_("Ask this price"),
        done=_("It is on sale."),
        back=reverse("console-catalogue"),
        back_words=gettext("Catalogue"),
        facts=[
            gettext("Asked now: %(price)s.") % {"price": vip.money_exact(one.amount, one.currency)}
            for one in Price.objects.filter(plan=plan, retired_at=None).order_by("currency")
        ],
        preview=preview,
        do=do,
    )
    return steps.take(request, step, form, staff=staff)


@act(Permission.OFFER)
def offer(request: HttpRequest, code: str) -> HttpResponse:
    """Both looks at putting a plan on sale or taking it off. Raises Http404."""
    plan = Plan.objects.select_related("tier").filter(code=code).first()
    if plan is None:
        raise Http404
    staff, at, on = staff_of(request), clock.now(), not plan.published
    facts = {"plan": _name(plan), "held": str(prices.held(plan))}

    def preview(asked: dict[str, Any]) -> list[str]:
        if on:
            return [gettext("%(plan)s is on the plans page, and members may change to it.") % facts]
        return [
            gettext("%(plan)s is no longer on the plans page, and nobody may join by it or change to it.") % facts,
            gettext("Who holds it keeps it and renews: %(held)s now.") % facts,
            gettext("Pay pages that are open may still be paid."),
        ]

    step = steps.Step(
        title=gettext("Put %(plan)s on sale") % facts if on else gettext("Take %(plan)s off sale") % facts,
        about=_("It is so at once, in every currency."),
        button=_("Put it on sale") if on else _("Take it off sale"),
        done=_("It is so now."),
        back=reverse("console-catalogue"),
        back_words=gettext("Catalogue"),
        preview=preview,
        do=lambda asked: pricing.offer(plan=plan, published=on, at=at, actor=staff.actor),
    )
    return steps.take(request, step, ReasonForm(request.POST or None), staff=staff)


def _currencies(plan: Plan) -> list[str]:
    """Those of this plan first, then all that anything is sold in: a new currency for the house is a programme's."""
    own = Price.objects.filter(plan=plan, retired_at=None).order_by("pk").values_list("currency", flat=True)
    others = Price.objects.filter(retired_at=None).order_by("currency").values_list("currency", flat=True)
    return list(dict.fromkeys([*own, *others]))


def _name(plan: Plan) -> str:
    return f"{plan.tier.name}, {plan.get_interval_display()}"


def _what_happens(plan: Plan, was: Price | None, amount: int, currency: str) -> list[str]:
    facts = {"plan": _name(plan), "is": vip.money_exact(amount, currency), "was": ""}
    if was is None:
        return [gettext("%(plan)s is sold in this currency too, for %(is)s.") % facts]
    facts["was"] = vip.money_exact(was.amount, currency)
    lines = [gettext("%(plan)s costs %(is)s from now on, instead of %(was)s.") % facts]
    if not was.amount <= amount * STEEP <= was.amount * STEEP**2:
        lines.append(gettext("That is more than double, or less than half. Is it what you mean?"))
    held, paying = prices.held_by(was), prices.open_pages(was)
    lines.append(gettext("Who holds %(was)s keeps it at every renewal: %(held)s now.") % (facts | {"held": str(held)}))
    if paying:
        lines.append(gettext("Pay pages that are open keep %(was)s: %(pages)s now.") % (facts | {"pages": str(paying)}))
    return lines
