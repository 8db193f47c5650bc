"""What a plan costs who joins from now on, a row a price and never changed: another amount is another row.

Who holds a price keeps it at their renewals (billing/next_charge.py); an earlier price that is asked again is that row,
for members may hold it still. Called by billing, which sees to it first that Stripe can charge the new one, and by
programmes when they are loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_noop

from membership import audit
from membership.errors import DomainError
from membership.models import Plan, Price

if TYPE_CHECKING:
    from datetime import datetime


class SamePrice(DomainError):
    code = "price_unchanged"
    status = 422
    message = gettext_noop("This is what it costs already.")


class Overtaken(DomainError):
    code = "price_overtaken"
    message = gettext_noop("Somebody else has changed this plan since you looked. Look again.")


def live(plan: Plan, currency: str) -> Price | None:
    """What is asked in this currency now; None: the plan is not sold in it."""
    return Price.objects.filter(plan=plan, currency=currency, retired_at=None).select_related("plan__tier").first()


@transaction.atomic
def change(*, plan: Plan, currency: str, amount: int, was: Price | None, at: datetime, actor: str) -> Price:
    """Ask `amount` (minor units) from `at` on, where `was` is asked as far as its reader knows. -> the price that is on
    sale. Raises SamePrice, Overtaken."""
    Plan.objects.select_for_update().get(pk=plan.pk)
    now = live(plan, currency)
    if (now and now.pk) != (was and was.pk):
        raise Overtaken
    if now and now.amount == amount:
        raise SamePrice
    price = put(plan, currency, amount, at)
    data = {"plan": plan.code, "currency": currency, "was": now.amount if now else None, "is": amount}
    audit.write(actor=actor, verb="change_price", subject=f"plan:{plan.code}", at=at, data=data)
    return price


def offer(*, plan: Plan, published: bool, at: datetime, actor: str) -> None:
    """Sell the plan from `at` on, or no longer. Who holds it keeps it and renews. Raises Overtaken where it is so."""
    with transaction.atomic():
        if not Plan.objects.filter(pk=plan.pk, published=not published).update(published=published):
            raise Overtaken
        data = {"plan": plan.code, "on_sale": published}
        audit.write(actor=actor, verb="offer_plan", subject=f"plan:{plan.code}", at=at, data=data)


def put(plan: Plan, currency: str, amount: int, at: datetime) -> Price:
    """The same, whatever is asked now: nothing happens where it is this. In the caller's transaction."""
    on_sale = Price.objects.filter(plan=plan, currency=currency, retired_at=None)
    if same := on_sale.filter(amount=amount).first():
        return same
    on_sale.update(retired_at=at)
    earlier = Price.objects.filter(plan=plan, currency=currency, amount=amount).order_by("-pk").first()
    if earlier is None:
        return Price.objects.create(plan=plan, currency=currency, amount=amount)
    Price.objects.filter(pk=earlier.pk).update(retired_at=None)
    earlier.retired_at = None
    return earlier
