"""What the demo's shop has on its shelves, what it costs, and where it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from perks.client import Line

CURRENCIES = ("EUR", "USD", "JPY", "CHF")
YEN = 1.65  # to the cent; the other currencies are priced as euros are


@dataclass(frozen=True)
class Good:
    """Something on the shelf. `price` in cents; `before`: what it cost before its sale. `picture`: a file in goods/."""

    sku: str
    name: Any
    price: int
    category: str
    picture: str
    words: Any
    sale: str | None = None
    before: int | None = None

    def amount(self, currency: str) -> int:
        return in_currency(self.price, currency)

    def amount_before(self, currency: str) -> int:
        return in_currency(self.before or self.price, currency)

    def line(self, pieces: int, currency: str) -> Line:
        """As a line of a perk check's basket."""
        return Line(
            id=self.sku,
            sku=self.sku,
            quantity=pieces,
            unit_amount=self.amount(currency),
            categories=[self.category],
            sale=self.sale,
        )


def in_currency(cents: int, currency: str) -> int:
    return round(cents * YEN) if currency == "JPY" else cents


GOODS = (
    Good("COAT-9", _("Loden coat"), 12900, "coats", "coat", _("Felted wool, horn buttons")),
    Good("BOOT-4", _("Walking boots"), 18900, "shoes", "boots", _("Welted, and can be resoled")),
    Good("SCARF-2", _("Silk scarf"), 3900, "accessories", "scarf", _("Hand-rolled edges")),
    Good("KNIT-7", _("Merino cardigan"), 5900, "knitwear", "cardigan", _("From one thread"), "winter-sale", 8900),
    Good(
        "PACK-3", _("Canvas rucksack"), 7900, "bags", "rucksack", _("Waxed, with leather straps"), "winter-sale", 11900
    ),
    Good("WOOL-5", _("Wool blanket"), 6900, "home", "blanket", _("Woven in one piece"), "winter-sale", 9900),
)
BY_SKU = {good.sku: good for good in GOODS}
SHIPPING = {"standard": 495, "express": 1295}
METHODS = (("standard", _("standard")), ("express", _("express")))
COUNTRIES = (
    ("NL", _("Netherlands")),
    ("DE", _("Germany")),
    ("FR", _("France")),
    ("JP", _("Japan")),
    ("US", _("United States")),
    ("BR", _("Brazil")),
)


def shipping(method: str, currency: str) -> int:
    return in_currency(SHIPPING[method], currency)
