"""Giving money back from the console: the quote with its working first, then exactly that quote.

Who acts proves themselves once more. Goodwill above the limit waits for a second person (approving.py).
"""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from billing import approvals, gateway, refund_quotes, refunds
from billing.models import Refund
from billing.refund_policy import Basis, NothingToRefund, Quote
from membership import money
from membership.console.acts import Act, ActForm, Case, offer
from membership.errors import DomainError
from membership.roles import Permission
from membership.templatetags import vip

if TYPE_CHECKING:
    from billing.refund_policy import Line
    from membership.models import Membership

BASES = {
    Basis.COOLING_OFF: _("Change of mind: the law's right, all that was paid"),
    Basis.HOUSE: _("The house's rule: the days not yet begun, less the worth of perks used"),
    Basis.GOODWILL: _("Goodwill: an amount of your own"),
}
WORKING = {
    "paid": _("Paid: %(amount)s"),
    "returned": _("Given back before: %(amount)s"),
    "disputed": _("Contested at the bank: %(amount)s"),
    "days_used": _("%(used)s of %(days)s days have begun: %(amount)s"),
    "no_more_than_left": _("Given back or contested before: %(amount)s"),
    "perks": _("Worth of the perks used: %(amount)s"),
    "goodwill": _("Goodwill: %(amount)s"),
    "total": _("The member gets back %(amount)s, to the card that paid."),
}


WAITS = gettext_noop("This is above the limit for one person: it waits up to 7 days for a second one, and nothing is given back before.")  # fmt: skip  # noqa: E501


class NotYourOwn(DomainError):
    """Nobody gives money to themselves."""

    code = "not_your_own_refund"
    status = 403
    message = gettext_noop("This is your own membership: a colleague has to do it.")


class NotByLaw(NothingToRefund):
    message = gettext_noop("The law's right to change one's mind does not hold here any more, or not for what was paid. See what the house's rule gives back, or give an amount of goodwill.")  # fmt: skip  # noqa: E501


class RefundForm(ActForm):
    basis = forms.ChoiceField(label=_("Why money goes back"), choices=[(key.value, BASES[key]) for key in Basis])
    amount = forms.DecimalField(
        label=_("Amount"), required=False, min_value=Decimal("0.001"), max_digits=12, help_text=_("For goodwill only.")
    )
    ends = forms.BooleanField(
        label=_("End the membership now, too"),
        required=False,
        help_text=_("For goodwill. On the other grounds it always ends."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        goodwill, amount = cleaned.get("basis") == Basis.GOODWILL, cleaned.get("amount")
        if goodwill and amount is None and "amount" not in self.errors:
            self.add_error("amount", gettext("Say how much."))
        if goodwill and amount is not None and _minor(amount, self.case.held) is None:
            self.add_error("amount", gettext("The currency has no such small coins."))
        return cleaned


@offer
class GiveBack(Act):
    name, order = "refund", 60
    label, button, done = _("Give money back"), _("Give it back"), _("It is decided, and on its way.")
    about = _("First you see what would be given back and how it is worked out.")
    permission, fresh, form = Permission.REFUND, True, RefundForm

    def fits(self, case: Case) -> bool:
        if case.membership is None:
            return False
        return any(paid.left for paid in refund_quotes.case_of(case.membership, case.at).payments)

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        quote = _quote(case, asked)
        lines = [_in_words(line, quote.currency) for line in quote.working] + [what_becomes(ends=_ends(asked))]
        return lines + _waiting(case) + (_why_it_waits(case, quote) if _above(case, quote) else [])

    def confirm(self, case: Case, asked: dict[str, Any]) -> str | None:
        return gettext("Ask a second person") if _above(case, _quote(case, asked)) else None

    def do(self, case: Case, asked: dict[str, Any]) -> str | None:
        quote = _quote(case, asked)
        if _above(case, quote):
            approvals.ask(
                membership=case.held,
                quote=quote,
                effect=_effect(asked),
                reason=asked["reason"],
                by=case.staff,
                once=asked["once"],
                at=case.at,
            )
            return gettext("It waits for a second person.")
        with contextlib.suppress(gateway.StripeUnavailable):  # it is decided, and goes on by itself
            refunds.ask(
                membership=case.held,
                quote=quote,
                effect=_effect(asked),
                reason=asked["reason"],
                at=case.at,
                actor=case.staff.actor,
                once=asked["once"],
            )
        return None


def _above(case: Case, quote: Quote) -> bool:
    together = quote.amount + refunds.given_by_one(case.held, case.at)
    return quote.basis == Basis.GOODWILL and together > settings.GOODWILL_LIMIT


def _waiting(case: Case) -> list[str]:
    asked = approvals.waiting(case.at).filter(membership=case.held).first()
    if asked is None:
        return []
    facts = {"amount": vip.money_exact(asked.amount, asked.currency), "name": asked.asked_by.staff.name}
    return [gettext("Beside this, %(amount)s that %(name)s asked for wait for a second person.") % facts]


def _why_it_waits(case: Case, quote: Quote) -> list[str]:
    given = refunds.given_by_one(case.held, case.at)
    if not given:
        return [gettext(WAITS)]
    said = {"amount": vip.money_exact(given, quote.currency)}
    return [
        gettext("In the last 30 days one person gave %(amount)s of goodwill already; it counts.") % said,
        gettext(WAITS),
    ]


def _effect(asked: dict[str, Any]) -> str:
    return Refund.Effect.END_NOW if _ends(asked) else Refund.Effect.MONEY_ONLY


def _quote(case: Case, asked: dict[str, Any]) -> Quote:
    """Raises NotYourOwn, NothingToRefund, NotByLaw, TooMuch."""
    if case.member.user_id == case.staff.user_id:
        raise NotYourOwn
    basis = Basis(asked["basis"])
    amount = _minor(asked["amount"], case.held) if basis == Basis.GOODWILL else None
    try:
        return refund_quotes.quote(membership=case.held, basis=basis, at=case.at, amount=amount)
    except NothingToRefund:
        if basis == Basis.COOLING_OFF:
            raise NotByLaw from None
        raise


def _minor(amount: Decimal, membership: Membership) -> int | None:
    """In minor units; None where the currency has none so small."""
    exact = amount * 10 ** money.decimals(membership.currency)
    return int(exact) if exact == exact.to_integral_value() else None


def _ends(asked: dict[str, Any]) -> bool:
    return asked["basis"] != Basis.GOODWILL or bool(asked["ends"])


def _in_words(line: Line, currency: str) -> str:
    facts = {"amount": vip.money_exact(line.amount, currency), "used": line.used, "days": line.days}
    return str(WORKING[line.code]) % facts


def what_becomes(*, ends: bool) -> str:
    if ends:
        return gettext("The membership ends now: perks and card stop, and nothing more is charged.")
    return gettext("The membership goes on as it is.")
