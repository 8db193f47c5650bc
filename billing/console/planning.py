"""Another plan, by staff in a member's place: what it would mean in days, money and perks, before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import plan_offers, plan_on_behalf
from billing.console.acts import runs
from billing.console.terms import plan_words, refuse_own
from membership.console.acts import Act, ActForm, Case, offer
from membership.errors import DomainError
from membership.models import Plan
from membership.templatetags import vip
from perks import comparison

if TYPE_CHECKING:
    from billing.plan_on_behalf import Wish


class PlanForm(ActForm):
    plan = forms.ModelChoiceField(label=_("Plan"), queryset=Plan.objects.none(), empty_label=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["plan"]
        choice.queryset = Plan.objects.filter(pk__in=[plan.pk for plan in _plans(self.case)]).select_related("tier")
        choice.label_from_instance = plan_words


def _plans(case: Case) -> list[Plan]:
    if not runs(case):
        return []
    try:
        return plan_on_behalf.plans(membership=case.held, at=case.at)
    except DomainError:
        return []


@offer
class ChangePlan(Act):
    name, order = "plan", 25
    label, button, done = _("Change the plan"), _("Go ahead"), _("It is done.")
    about = _("What costs no more begins with the next renewal. What costs more the member confirms: we send the link.")
    form = PlanForm

    def fits(self, case: Case) -> bool:
        return bool(_plans(case))

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        wished = self._wish(case, asked)
        return self._link(case, wished) if wished.theirs else self._renewal(case, wished)

    def _renewal(self, case: Case, wished: Wish) -> list[str]:
        price, pays = wished.price, wished.pays
        facts = {"held": wished.held.tier.name, "tier": price.plan.tier.name, "day": vip.day(wished.renews_at)}
        facts["amount"] = vip.money(price.amount, price.currency)
        facts["before"] = vip.money(pays.amount, pays.currency) if pays else "–"
        return [
            gettext("They hold %(held)s until %(day)s. Nothing is charged or given back now.") % facts,
            gettext("On %(day)s the renewal buys %(tier)s for %(amount)s, in place of %(before)s.") % facts,
            *_differences(case, wished),
            gettext("The member is told by mail, and can choose otherwise until then."),
        ]

    def _link(self, case: Case, wished: Wish) -> list[str]:
        price = wished.price
        facts = {"tier": price.plan.tier.name, "day": vip.day(wished.renews_at), "address": case.member.user.email}
        facts["amount"] = vip.money(price.amount, price.currency)
        money = gettext("They would pay %(amount)s for %(tier)s from %(day)s on.") % facts
        if wished.upgrade:
            due, renewal = plan_on_behalf.quote(wished, membership=case.held, at=case.at)
            facts["due"] = vip.money_exact(due, price.currency)
            facts["amount"] = vip.money_exact(renewal, price.currency)
            money = gettext("At this moment %(tier)s would cost %(due)s, for the rest of the term.") % facts
            if renewal:
                money += " " + gettext("It renews for %(amount)s on %(day)s.") % facts
        return [
            gettext("It costs more than the member has agreed to, so only they can take it. This charges nothing."),
            money,
            *_differences(case, wished),
            gettext("A mail with the link goes to %(address)s. They see the amount anew, and confirm it.") % facts,
        ]

    def do(self, case: Case, asked: dict[str, Any]) -> str:
        wished = self._wish(case, asked)
        act = {"membership": case.held, "ref": asked["once"], "at": case.at, "actor": case.staff.actor}
        if wished.theirs:
            plan_on_behalf.send_link(wished, **act)
            return gettext("The link is on its way.")
        plan_on_behalf.at_renewal(wished, **act)
        return gettext("The next renewal buys it.")

    def _wish(self, case: Case, asked: dict[str, Any]) -> Wish:
        """Raises NotYourOwn, NoChangeNow."""
        refuse_own(case)
        if case.membership is None:
            raise plan_offers.NoChangeNow
        return plan_on_behalf.wish(membership=case.held, plan=asked["plan"], at=case.at)


def _differences(case: Case, wished: Wish) -> list[str]:
    told = comparison.with_tier(membership=case.held, tier=wished.price.plan.tier, at=case.at)
    return [_difference(one) for one in told]


def _difference(one: comparison.Difference) -> str:
    if not one.before:
        return gettext("New: %(perk)s") % {"perk": one.after}
    if not one.after:
        return gettext("No longer: %(perk)s") % {"perk": one.before}
    return gettext("Instead: %(perk)s (today: %(before)s)") % {"perk": one.after, "before": one.before}
