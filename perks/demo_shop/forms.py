"""The forms of the demo's shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from perks.demo_shop import goods

if TYPE_CHECKING:
    from perks.demo_shop.visit import Order, Visit


class WhoForm(forms.Form):
    """Who the visitor says they are: a persona of the demo, a member number, or a guest."""

    persona = forms.ChoiceField(label=_("Shop as"), required=False)
    number = forms.CharField(
        label=_("or with a member number"),
        required=False,
        max_length=40,
        widget=forms.TextInput({"inputmode": "numeric"}),
    )

    def __init__(self, data: Any, personas: list[dict[str, Any]], number: str = "") -> None:
        known = [(p["number"], f"{p['name']} ({p['persona']})") for p in personas]
        own = number in dict(known)
        super().__init__(data, initial={"persona": number if own else "", "number": "" if own else number})
        self.fields["persona"].choices = [("", _("a guest")), *known]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> str:
        typed = "".join(self.cleaned_data["number"].split())
        return str(typed or self.cleaned_data["persona"])


class CheckoutForm(forms.Form):
    """What is in the basket, where it goes, and which services are wished with it."""

    country = forms.ChoiceField(label=_("Deliver to"), choices=goods.COUNTRIES)
    method = forms.ChoiceField(label=_("Delivery"), choices=goods.METHODS)
    currency = forms.ChoiceField(label=_("Currency"), choices=[(c, c) for c in goods.CURRENCIES])

    def __init__(self, data: Any, visit: Visit) -> None:
        initial = {"country": visit.country, "method": visit.method, "currency": visit.currency}
        super().__init__(data, initial={**initial, **visit.basket})
        self.visit = visit
        for good, _pieces in visit.wanted():
            self.fields[good.sku] = _pieces_of(good.name)

    def rows(self) -> list[tuple[goods.Good, int, forms.BoundField]]:
        """What lies in the basket, at its price in the currency chosen."""
        return [(good, good.amount(self.visit.currency), self[good.sku]) for good, _pieces in self.visit.wanted()]

    def apply(self, services: list[str]) -> None:
        """To the visit."""
        given = self.cleaned_data
        for good, _pieces in self.visit.wanted():
            self.visit.put(good.sku, given[good.sku] or 0)
        self.visit.country, self.visit.method = given["country"], given["method"]
        self.visit.currency, self.visit.services = given["currency"], services[:20]


class ReturnForm(forms.Form):
    """How many pieces of each line come back."""

    def __init__(self, data: Any, order: Order) -> None:
        super().__init__(data)
        self.order = order
        for line, left in order.pieces_left().items():
            self.fields[line] = _pieces_of(goods.BY_SKU[line].name, most=left)

    def rows(self) -> list[tuple[goods.Good, dict[str, Any], int, forms.BoundField]]:
        """Each line as it was ordered, and how much of it is still with the customer."""
        left = self.order.pieces_left()
        return [(goods.BY_SKU[line["id"]], line, left[line["id"]], self[line["id"]]) for line in self.order.lines]

    def pieces(self) -> dict[str, int]:
        return {line: pieces or 0 for line, pieces in self.cleaned_data.items()}


def _pieces_of(name: Any, most: int = 99) -> forms.IntegerField:
    return forms.IntegerField(label=name, min_value=0, max_value=most, required=False)
