"""What every kind of perk shares: common settings, and the shapes in which a kind answers the engine.

A kind is one module in this folder:

    CODE                          its name in the database and the API
    class Settings(KindSettings)  what staff may set, with messages they understand
    refuse(settings, question)    why not, or None
    effect(settings, question)    what it takes off; takes it from question.room
    sentence(settings, question)  one sentence for the shopper, after a yes
    words(settings)               plain words for the plans page and the portal
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, model_validator

from perks.allowances import Allowance
from perks.basket import Currency

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from perks.basket import Basket, Room

Amounts = dict[Currency, Annotated[int, Field(strict=True, ge=0, le=10**12)]]


class Valuation(BaseModel):
    """What one use counts for in the value ledger: a share of its effect (100 = the effect itself), or a fixed sum."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: int = Field(default=100, ge=0, le=100)
    fixed: Amounts | None = None


class KindSettings(BaseModel):
    """Settings common to all kinds.

    `currencies`: baskets it works in (None: any). `in_grace`: keep it, stop it, or only finish what is booked.
    `fail_mode`: what a shop should assume if it cannot reach us. `stacking`: with everything; only the best of its
    `group`; or never beside discounts of the shop's own. `seats`: whether a household shares the allowance.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    currencies: tuple[Currency, ...] | None = None
    allowance: Allowance | None = None
    in_grace: Literal["keep", "stop", "finish"] = "keep"
    fail_mode: Literal["allow", "deny"] = "deny"
    stacking: Literal["everything", "best_of_group", "not_with_other_discounts"] = "everything"
    group: str = Field(default="", max_length=40)
    seats: Literal["shared", "each"] = "shared"
    worth: Valuation = Valuation()
    cost: Valuation = Valuation()

    @model_validator(mode="after")
    def _group_fits_stacking(self) -> Self:
        if (self.stacking == "best_of_group") != bool(self.group):
            raise ValueError(_("Name a group exactly when only the best of a group should count."))
        return self

    def amounts(self) -> Iterable[Amounts | None]:
        """The kind's sums of money; a basket in a currency that one of them lacks is refused."""
        return ()

    def takes(self, currency: str) -> bool:
        if self.currencies is not None and currency not in self.currencies:
            return False
        return all(currency in sums for sums in self.amounts() if sums is not None)


@dataclass(frozen=True, slots=True)
class SaleDates:
    """A sale as the rules see it, half-open [opens_at, closes_at) for the public."""

    code: str
    names: dict[str, str]
    opens_at: datetime
    closes_at: datetime


@dataclass(slots=True)
class Question:
    """What a kind is asked about. `room` is what may still be taken off once the perks before it took their part."""

    at: datetime
    basket: Basket | None
    room: Room
    sales: Mapping[str, SaleDates]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no. `details` fill the sentence of its reason."""

    reason: str
    details: dict[str, Any] = field(default_factory=dict)
    opens_at: datetime | None = None
    resets_at: datetime | None = None


class Effect(NamedTuple):
    """What a yes does. `lines`: amount off per line id. An effect that changes no price has no amount."""

    target: Literal["shipping", "lines", "sale", "service"]
    amount_off: int | None = None
    lines: tuple[tuple[str, int], ...] | None = None
    opens_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"target": self.target}
        if self.amount_off is not None:
            found["amount_off"] = self.amount_off
        if self.lines is not None:
            found["lines"] = [{"id": line_id, "amount_off": amount} for line_id, amount in self.lines]
        if self.opens_at is not None:
            found["opens_at"] = self.opens_at
        return found
