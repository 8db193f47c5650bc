"""What the public pages ask: no more than the law lets us ask (§ 312k II BGB; Directive 2011/83/EU, Art. 11a (2)).

A court held these particulars to be the least and the most that may be asked (LG Köln, 33 O 355/22); so there is no
password, no address, no "why do you leave us", and the member number is optional.
"""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import Any, ClassVar

from django import forms
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from billing.declarations import Said
from billing.models import Declaration
from membership import clock
from membership.forms import NameField

FARTHEST = timedelta(days=3 * 366)


class ReasonField(forms.CharField):
    """Needed where it is to be seen at all, which the form decides: so it is not called optional."""

    needed = True


class DeclarationForm(forms.Form):
    """Who declares, of which membership, and where the receipt goes. `mark` tells one page from another."""

    kind: ClassVar[str]

    mark = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    name = NameField(label=_("Your name"))
    email = forms.EmailField(
        label=_("E-mail address of your membership"), max_length=254, widget=forms.EmailInput({"autocomplete": "email"})
    )
    number = forms.CharField(
        label=_("Member number"),
        help_text=_("If you have it at hand: with it we need not ask back. It stands on your card."),
        max_length=40,
        required=False,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    contact = forms.EmailField(
        label=_("Another address for the confirmation"),
        help_text=_("Only if it should not go to the address above."),
        max_length=254,
        required=False,
        widget=forms.EmailInput({"autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial={"mark": secrets.token_hex(16), **(initial or {})})

    def clean_mark(self) -> str:
        """A page without one is no reason to refuse anybody: it is told from all others."""
        return self.cleaned_data["mark"] or secrets.token_hex(16)

    def said(self) -> Said:
        """The declaration, as it was typed."""
        typed = {name: value for name, value in self.cleaned_data.items() if name != "mark"}
        typed["email"] = typed["email"].lower()
        typed["contact"] = typed["contact"] or typed["email"]
        return Said(kind=self.kind, language=(translation.get_language() or "en")[:2], **typed)


class WithdrawalForm(DeclarationForm):
    kind = Declaration.Kind.WITHDRAW


class CancellationForm(DeclarationForm):
    kind = Declaration.Kind.CANCEL

    for_cause = forms.TypedChoiceField(
        label=_("How do you cancel?"),
        choices=[
            ("ordinary", _("Ordinarily: at the end of the time that is paid for")),
            ("for_cause", _("For cause: at once, for an important reason")),
        ],
        coerce=lambda chosen: chosen == "for_cause",
        initial="ordinary",
        widget=forms.RadioSelect,
    )
    reason = ReasonField(
        label=_("Your reason"),
        help_text=_("Needed only if you cancel for cause."),
        max_length=1000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )
    wanted_on = forms.DateField(
        label=_("To end on"),
        help_text=_(
            "Leave this empty, and it ends as early as possible: with the time that is paid for. "
            "If you name a later day, it ends with the last term that is over by then."
        ),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        required=False,
    )
    field_order = ("for_cause", "reason", "name", "email", "number", "wanted_on", "contact")

    def clean_wanted_on(self) -> date | None:
        wanted: date | None = self.cleaned_data["wanted_on"]
        today = timezone.localdate(clock.now())
        if wanted and not today <= wanted <= today + FARTHEST:
            raise forms.ValidationError(_("Please name a day from today on, within the next three years."))
        return wanted

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("for_cause"):
            given["reason"] = ""  # its field is not to be seen then
        elif not given.get("reason"):
            self.add_error("reason", _("To cancel for cause, please say the reason in a sentence."))
        return given
