"""A shop's basket as it is asked about: what the engine and the kinds compute on. Validation is its meaning; no web.

Amounts are integer minor units of the basket's currency (JPY has none below the yen).
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MOST_MONEY = 10**12
MOST_LINES = 500


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# JSON knows one kind of number: 600.0 is as whole as 600, and many a language writes it so. Text and true are none.
WHOLE = BeforeValidator(_whole)
Money = Annotated[int, Field(strict=True, ge=0, le=MOST_MONEY), WHOLE]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Part(BaseModel):
    """A part of a basket. Unknown fields are refused, so that a mistyped one is noticed and not ignored."""

    model_config = ConfigDict(extra="forbid")


class Line(Part):
    """One line: `quantity` pieces at `unit_amount` each. `sale` is the code of the sale it is sold in, if any."""

    id: Annotated[Name, Field(examples=["1"])]
    sku: Annotated[Name, Field(examples=["COAT-9"])]
    quantity: Annotated[int, Field(strict=True, ge=1, le=100_000, examples=[1]), WHOLE]
    unit_amount: Annotated[Money, Field(examples=[12900])]
    categories: Annotated[list[Name], Field(max_length=50, examples=[["coats"]])] = []
    sale: Name | None = None

    @property
    def amount(self) -> int:
        return self.quantity * self.unit_amount


class Shipping(Part):
    """How the goods travel. `country` is ISO 3166-1 alpha-2; `method` is the shop's own word (standard, express)."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["NL"])]
    method: Annotated[Name, Field(examples=["standard"])]
    amount: Annotated[Money, Field(examples=[495])]


class OtherDiscount(Part):
    """A discount that the shop gives by itself: on one line, or (without `line`) on the basket."""

    code: Name
    amount: Money
    line: Name | None = None


class Basket(Part):
    currency: Currency
    lines: Annotated[list[Line], Field(max_length=MOST_LINES)] = []
    shipping: Shipping | None = None
    discounts: Annotated[list[OtherDiscount], Field(max_length=50)] = []

    @model_validator(mode="after")
    def _lines_can_be_told_apart(self) -> Self:
        ids = {line.id for line in self.lines}
        if len(ids) != len(self.lines):
            raise ValueError("every line needs an id of its own")
        if any(d.line is not None and d.line not in ids for d in self.discounts):
            raise ValueError("a discount names a line that is not in the basket")
        return self

    @cached_property
    def amount(self) -> int:
        """The goods before any discount."""
        return sum(line.amount for line in self.lines)


class Room:
    """What may still be taken off, per line and of shipping. Effects take from it, so no sum can exceed the basket.

    The shop's own discounts go first: one on a line takes that line's room, one on the basket takes room from the
    lines with the highest ids (an arbitrary but fixed choice, the same for every order of lines).
    """

    __slots__ = ("lines", "shipping", "taken_by_others")

    def __init__(self, basket: Basket | None) -> None:
        self.lines = {line.id: line.amount for line in basket.lines} if basket else {}
        self.shipping = basket.shipping.amount if basket and basket.shipping else 0
        self.taken_by_others = 0
        for discount in basket.discounts if basket else ():
            ids = sorted(self.lines, reverse=True) if discount.line is None else [discount.line]
            self.taken_by_others += sum(amount for _, amount in self.take(ids, discount.amount))

    def take(self, ids: list[str], amount: int) -> list[tuple[str, int]]:
        """Take up to `amount` from the lines, in the order given."""
        taken = []
        for line_id in ids:
            part = self.take_line(line_id, amount)
            amount -= part
            if part:
                taken.append((line_id, part))
        return taken

    def take_line(self, line_id: str, amount: int) -> int:
        part = min(amount, self.lines[line_id])
        self.lines[line_id] -= part
        return part

    def take_shipping(self, amount: int) -> int:
        part = min(amount, self.shipping)
        self.shipping -= part
        return part

    def copy(self) -> Room:
        twin = Room(None)
        twin.lines, twin.shipping, twin.taken_by_others = dict(self.lines), self.shipping, self.taken_by_others
        return twin
