"""What people type on the hosted pages: a card everywhere, and on Checkout what else a seller asks for."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.emulator import cards, clock, periods, words
from billing.emulator.checkout_pay import Entry
from billing.emulator.payment_methods import TypedCard

if TYPE_CHECKING:
    from django.http import QueryDict

    from billing.emulator.cards import Card

EXPIRY = re.compile(r"\s*(\d{1,2})\s*[/ -]?\s*(?:20)?(\d{2})\s*")


def _text(autocomplete: str, **attrs: Any) -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": autocomplete, **attrs})


class CardForm(forms.Form):
    """A test card with its holder's name."""

    number = forms.CharField(
        label=_("Card number"),
        max_length=30,
        widget=_text("cc-number", inputmode="numeric", placeholder="4242 4242 4242 4242"),
        error_messages={"required": _("Type the card number.")},
    )
    expiry = forms.CharField(
        label=_("Expiry date"),
        max_length=9,
        widget=_text("cc-exp", inputmode="numeric", placeholder=_("MM / YY")),
        error_messages={"required": _("Type the expiry date, month and year.")},
    )
    cvc = forms.CharField(
        label=_("Security code"),
        max_length=4,
        widget=_text("cc-csc", inputmode="numeric", placeholder="123"),
        error_messages={"required": _("Type the security code.")},
    )
    name = forms.CharField(
        label=_("Name on card"),
        max_length=150,
        widget=_text("cc-name"),
        error_messages={"required": _("Type the name on the card.")},
    )

    def clean_number(self) -> Card:
        typed = self.cleaned_data["number"]
        card = cards.by_number(typed)
        if card is None:
            if not cards.plausible(typed):
                raise forms.ValidationError(_("Your card number is not complete or not valid."), code="invalid")
            raise forms.ValidationError(_("Only test cards work here; some are listed below."), code="not_test")
        return card

    def clean_expiry(self) -> tuple[int, int]:
        found = EXPIRY.fullmatch(self.cleaned_data["expiry"])
        month, year = (int(found[1]), 2000 + int(found[2])) if found else (0, 0)
        if not 1 <= month <= 12:
            raise forms.ValidationError(_("Type the expiry date as month and year, such as 04 / 30."), code="invalid")
        now = datetime.fromtimestamp(clock.now(), UTC)
        if (year, month) < (now.year, now.month):
            raise forms.ValidationError(_("Your card has expired."), code="expired")
        return month, year

    def clean_cvc(self) -> str:
        cvc: str = self.cleaned_data["cvc"]
        if not re.fullmatch(r"\d{3,4}", cvc):
            raise forms.ValidationError(_("The security code has three digits, four on American Express."))
        return cvc

    def typed_card(self) -> TypedCard:
        data = self.cleaned_data
        return TypedCard(card=data["number"], expiry=data["expiry"], name=data["name"])


def filled_in(post: QueryDict, *kept: str) -> dict[str, str]:
    """The form's next values after a test card was pressed; what was typed in the `kept` fields stays."""
    typed = {key: str(post.get(key, "")) for key in ("name", *kept)}
    expiry = periods.after(clock.now(), "year", 3)
    filled = {"number": str(post["fill"]), "cvc": "123", "expiry": f"12 / {words.year(expiry)}"}
    return {**typed, "name": typed["name"] or "Test Customer", **filled}


class PayForm(CardForm):
    """Checkout's: e-mail, card, and the terms when the seller asks for them. No card when none is collected."""

    field_order = ("email", "number", "expiry", "cvc", "shown", "name", "terms")

    email = forms.EmailField(
        label=_("E-mail"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": _("Type your e-mail address."),
            "invalid": _("This is not a complete e-mail address."),
        },
    )
    shown = forms.IntegerField(required=False, widget=forms.HiddenInput)  # the amount the page said
    terms = forms.BooleanField(
        label=_("I agree to the terms of service"),
        error_messages={"required": _("Please agree to the terms first.")},
    )

    def __init__(self, *args: Any, email: str, collects_card: bool, asks_terms: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if email:
            del self.fields["email"]  # the seller knows it: shown, not asked
        if not collects_card:
            for field in ("number", "expiry", "cvc", "name"):
                del self.fields[field]
        if not asks_terms:
            del self.fields["terms"]

    def entry(self, email: str) -> Entry:
        """What was typed, for `checkout_pay.pay`; `email` is the one the seller knows."""
        data = self.cleaned_data
        return Entry(
            email=email or data["email"],
            name=data.get("name", ""),
            card=data.get("number"),
            expiry=data.get("expiry"),
            terms=data.get("terms", False),
            shown=data["shown"],
        )
