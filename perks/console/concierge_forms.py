"""What staff fill in about a request: an answer, a note, what it came to."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership import money
from perks.concierge import asking

if TYPE_CHECKING:
    from django.http import QueryDict

    from perks.models import Redemption


class ReplyForm(forms.Form):
    """`once` names this one filling-in, so that an answer sent twice is told once."""

    text = forms.CharField(
        label=_("Answer"),
        help_text=_("The member reads it in the portal and in a mail, with your name."),
        max_length=asking.LONGEST,
        widget=forms.Textarea({"rows": 6}),
    )
    once = forms.CharField(max_length=32, widget=forms.HiddenInput)


class NoteForm(forms.Form):
    text = forms.CharField(
        label=_("Note for colleagues"),
        help_text=_("The member never reads it."),
        max_length=2_000,
        widget=forms.Textarea({"rows": 2}),
    )
    prefix = "note"


class CloseForm(forms.Form):
    """What it came to; worth and cost in the currency of the member's membership."""

    counts = forms.TypedChoiceField(
        label=_("Does it count?"),
        choices=[("yes", _("Yes, as one request")), ("no", _("No: ours, a duplicate, or nothing was done"))],
        coerce=lambda value: value == "yes",
    )
    worth = forms.DecimalField(
        label=_("Worth to the member"),
        help_text=_("They read it among what they saved, and the house's rule takes it off a refund."),
        min_value=0,
        max_digits=9,
        required=False,
    )
    cost = forms.DecimalField(label=_("Cost to us"), min_value=0, max_digits=9, required=False)
    words = forms.CharField(
        label=_("What it came to"),
        help_text=_("For colleagues; the member does not read it."),
        max_length=500,
        widget=forms.Textarea({"rows": 2}),
    )

    def __init__(self, sent: QueryDict | None = None, *, use: Redemption, may_count: bool) -> None:
        places = money.decimals(use.currency)
        told = {"worth": _major(use.worth, places), "cost": _major(use.cost, places)}
        super().__init__(sent, initial=told)
        self.currency, self.places = use.currency, places
        for name in ("worth", "cost"):
            self.fields[name].help_text = use.currency
        if not may_count:
            del self.fields["counts"], self.fields["worth"], self.fields["cost"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        counts = cleaned.setdefault("counts", False)
        for name in ("worth", "cost"):
            amount = cleaned.get(name)
            minor = (amount or Decimal(0)).scaleb(self.places)
            if minor != int(minor):
                self.add_error(name, gettext("The currency has no such small coins."))
            cleaned[name] = int(minor) if counts else 0
        return cleaned


def _major(minor: int, places: int) -> Decimal:
    return Decimal(minor).scaleb(-places)
