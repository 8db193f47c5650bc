"""One visitor's basket and orders, kept in their session: all that the demo's shop remembers."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from perks.demo_shop import goods

if TYPE_CHECKING:
    from django.http import HttpRequest

KEY = "demo_shop"
MOST_ORDERS = 20


@dataclass
class Order:
    """`perks`: what the redemption says of each; empty where the order used none. `calls`: kept to be shown."""

    ref: str
    number: str
    currency: str
    lines: list[dict[str, Any]]
    totals: dict[str, int]
    redemption: dict[str, Any] | None = None
    returned: dict[str, int] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)

    def pieces_left(self) -> dict[str, int]:
        """What may still be sent back, by line."""
        return {line["id"]: line["quantity"] - self.returned.get(line["id"], 0) for line in self.lines}


@dataclass
class Visit:
    """`number`: who the visitor says they are; empty: a guest. `services`: perks chosen for this order, by code."""

    number: str = ""
    basket: dict[str, int] = field(default_factory=dict)
    country: str = "NL"
    method: str = "standard"
    currency: str = "EUR"
    services: list[str] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)

    @property
    def pieces(self) -> int:
        return sum(self.basket.values())

    def put(self, sku: str, pieces: int) -> None:
        """So many of it, at most 99; none takes it out. What is not on the shelf is passed over."""
        self.basket.pop(sku, None)
        if sku in goods.BY_SKU and pieces > 0:
            self.basket[sku] = min(pieces, 99)

    def wanted(self) -> list[tuple[goods.Good, int]]:
        """What lies in the basket, as on the shelf."""
        return [(good, self.basket[good.sku]) for good in goods.GOODS if good.sku in self.basket]

    def order(self, ref: str) -> Order | None:
        return next((Order(**kept) for kept in self.orders if kept["ref"] == ref), None)

    def keep(self, order: Order) -> None:
        """A new order, or one to which something happened."""
        rest = [kept for kept in self.orders if kept["ref"] != order.ref]
        self.orders = [asdict(order), *rest][:MOST_ORDERS]


def of(request: HttpRequest) -> Visit:
    return Visit(**request.session.get(KEY, {}))


def save(request: HttpRequest, visit: Visit) -> None:
    request.session[KEY] = asdict(visit)


def new_ref() -> str:
    """An order number as a shop would print it."""
    return f"L{secrets.randbelow(10**8):08d}"
