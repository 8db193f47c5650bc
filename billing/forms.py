"""The agreement above the pay button: the renewal terms in words, and the tick that is kept as consent."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import translation
from django.utils.translation import gettext as _

from billing.checkout import Agreement
from membership import money
from membership.models import Plan, Price

TERMS_VERSION = "2026-11"


def renewal_terms(price: Price) -> str:
    """What the member agrees to, in the language in force. The words are stored with the consent."""
    amount = money.text(price.amount, price.currency, translation.get_language() or "en")
    if price.plan.interval == Plan.Interval.MONTH:
        return _(
            "I pay %(amount)s today. My membership renews every month at %(amount)s until I cancel. "
            "I can cancel at any time in my portal; it then runs to the end of the month I have paid for."
        ) % {"amount": amount}
    return _(
        "I pay %(amount)s today. My membership renews every year at %(amount)s until I cancel. "
        "I can cancel at any time in my portal; it then runs to the end of the year I have paid for."
    ) % {"amount": amount}


class AgreementForm(forms.Form):
    agree = forms.BooleanField()
    read = forms.IntegerField(widget=forms.HiddenInput, required=False)  # the price that the page showed

    def __init__(self, *args: Any, price: Price, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.price = price
        self.initial["read"] = price.pk
        self.terms = renewal_terms(price)
        self.fields["agree"].label = self.terms
        self.fields["agree"].error_messages["required"] = _("Please agree to the terms, or choose “Not now”.")

    def read_another(self) -> bool:
        """Whether the page showed another price than the one that is asked now."""
        return self.data.get("read") not in (None, "", str(self.price.pk))

    def agreement(self) -> Agreement:
        """The words that were on the page, to be kept."""
        return Agreement(text=self.terms, version=TERMS_VERSION, language=translation.get_language() or "en")
