"""What every kind of perk shares: common settings, and the shapes in which a kind answers the engine.

A kind is one module in this folder (docs/new-kind.md says how to add one):

    CODE                          its name in the database and the API
    LABEL                         its name for staff
    class Settings(KindSettings)  what staff may set, with messages they understand; its own period, if it has one
    refuse(settings, question)    why not, or None
    effect(settings, question)    what it takes off; takes it from question.room
    sentence(settings, question)  one sentence for the shopper, after a yes
    words(settings)               plain words for the plans page and the portal
    listed(settings)              optional: what `words` only count, such as countries, by name
    LAST = True                   optional: its effect is taken once those of the other kinds are
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Self, get_args

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from perks import allowances
from perks.allowances import Allowance
from perks.basket import Currency
from perks.shown import Better, Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from perks.basket import Basket, Room

Amounts = dict[Currency, Annotated[int, Field(strict=True, ge=0, le=10**12)]]


def _in_english_at_least(names: dict[str, str]) -> dict[str, str]:
    if "en" not in names:
        raise ValueError(_("the English words are missing"))
    return names


def localized(names: Mapping[str, str]) -> str:
    """The words in the language of the moment; English where a translation is missing."""
    return names.get(get_language() or "en") or names["en"]


# What can stand in one line of a form, and in a basket: without blanks around it, and without an end of line in it.
Words = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f\x85\u2028\u2029]+$"
    ),
]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
Names = Annotated[dict[Language, Words], AfterValidator(_in_english_at_least)]


class Unset(BaseModel):
    """Settings in which an empty list or table is none at all where that is allowed: so the forms say, and so it is
    kept, however it came in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_unset(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        may_be_none = {name for name, f in cls.model_fields.items() if type(None) in get_args(f.annotation)}
        return {name: None if name in may_be_none and _is_empty(value) else value for name, value in given.items()}


def _is_empty(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset, dict)) and not value


class Valuation(Unset):
    """What one use counts for in the value ledger: a share of its effect (100 = the effect itself), or a fixed sum."""

    share: Annotated[
        int,
        Shown(gettext_lazy("Percent of what it takes off"), gettext_lazy("100 counts the whole effect of one use.")),
    ] = Field(default=100, ge=0, le=100)
    fixed: Annotated[
        Amounts | None,
        Shown(
            gettext_lazy("Or a fixed sum for each use"),
            gettext_lazy("For perks that take nothing off, such as a service or a gift."),
        ),
    ] = None


class Listed(NamedTuple):
    """What the words of a perk only count, by name, for whoever wants to know; `title`: what they are."""

    title: str
    names: list[str]


class About(NamedTuple):
    """What a rule may ask about the member: their time zone, and month and day of birth where they told it."""

    zone: str = "UTC"
    birthday: tuple[int, int] | None = None


NOBODY = About()


class KindSettings(Unset):
    """Settings common to all kinds.

    `currencies`: baskets it works in (None: any). `in_grace`: keep it, stop it, or only finish what is booked.
    `fail_mode`: what a shop should assume if it cannot reach us. `stacking`: with everything; only the best of its
    `group`; or never beside discounts of the shop's own. `seats`: whether a household shares the allowance.
    """

    NEEDS_BIRTHDAY: ClassVar[bool] = False  # whether the day and month of birth are kept for the kind's rule

    currencies: Annotated[
        tuple[Currency, ...] | None,
        Shown(gettext_lazy("Currencies"), gettext_lazy("Baskets in which it works. None chosen: all."), Better.WIDER),
    ] = None
    allowance: Annotated[Allowance | None, Shown(gettext_lazy("How often"), better=Better.OWN)] = None
    in_grace: Annotated[
        Literal["keep", "stop", "finish"],
        Shown(
            gettext_lazy("While a renewal is unpaid"),
            better=Better.ORDER,
            choices={
                "stop": gettext_lazy("It stops"),
                "finish": gettext_lazy("What is booked is finished"),
                "keep": gettext_lazy("It goes on"),
            },
        ),
    ] = "keep"
    fail_mode: Annotated[
        Literal["allow", "deny"],
        Shown(
            gettext_lazy("If the shop cannot reach us"),
            better=Better.ORDER,
            choices={"deny": gettext_lazy("Do not give it"), "allow": gettext_lazy("Give it")},
        ),
    ] = "deny"
    stacking: Annotated[
        Literal["everything", "best_of_group", "not_with_other_discounts"],
        Shown(
            gettext_lazy("Together with other discounts"),
            better=Better.FIRST,
            choices={
                "everything": gettext_lazy("Always"),
                "best_of_group": gettext_lazy("Only the best perk of its group"),
                "not_with_other_discounts": gettext_lazy("Not with discounts of the shop"),
            },
        ),
    ] = "everything"
    group: Annotated[str, Shown(gettext_lazy("Group"), gettext_lazy("Of perks of which only the best counts."))] = (
        Field(default="", max_length=40)
    )
    seats: Annotated[
        Literal["shared", "each"],
        Shown(
            gettext_lazy("In a household"),
            better=Better.ORDER,
            choices={
                "shared": gettext_lazy("All share the allowance"),
                "each": gettext_lazy("Everybody has an allowance"),
            },
        ),
    ] = "shared"
    worth: Annotated[Valuation, Shown(gettext_lazy("Worth of one use to the member"))] = Valuation()
    cost: Annotated[Valuation, Shown(gettext_lazy("Cost of one use to the shop"), better=Better.ANY)] = Valuation()

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

    def period(self, at: datetime, member: About) -> tuple[str, datetime | None]:
        """The name of the allowance's period that `at` lies in, and when the next one begins (None: with the term)."""
        every = self.allowance.every if self.allowance else "term"
        return allowances.period(every, at, member.zone), allowances.resets_at(every, at, member.zone)

    def usable_from(self, at: datetime, member: About) -> datetime | None:
        """When what is left may first be used; None: now, or the rule of another thing says (a sale, a basket)."""
        return None


@dataclass(frozen=True, slots=True)
class SaleDates:
    """A sale as the rules see it, half-open [opens_at, closes_at) for the public."""

    code: str
    names: dict[str, str]
    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class EventDates:
    """An event as the rules see it: bookable in [opens_at, closes_at), with so many of its places taken."""

    code: str
    places: int
    taken: int
    opens_at: datetime
    closes_at: datetime
    starts_at: datetime


@dataclass(slots=True)
class Question:
    """What a kind is asked about. `room` is what may still be taken off once the perks before it took their part.

    `changes`: a rule whose answer will be another at a known moment adds that moment, for `valid_until`.
    """

    at: datetime
    basket: Basket | None
    room: Room
    sales: Mapping[str, SaleDates]
    member: About = NOBODY
    events: Mapping[str, EventDates] = field(default_factory=dict)
    changes: list[datetime] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no. `details` fill the sentence of its reason."""

    reason: str
    details: dict[str, Any] = field(default_factory=dict)
    opens_at: datetime | None = None
    resets_at: datetime | None = None


def below(minimum: Amounts | None, basket: Basket) -> Refusal | None:
    """No to a basket whose goods cost less than `minimum`, if one is set."""
    least = minimum[basket.currency] if minimum else 0
    return Refusal("below_minimum", {"minimum": least, "currency": basket.currency}) if basket.amount < least else None


PRICED = frozenset({"shipping", "lines"})


class Effect(NamedTuple):
    """What a yes does. `lines`: amount off per line id. An effect that changes no price has no amount.

    gift: `sku` goes into the parcel. returns: goods may be sent back for `days`; `covers` are the ids of the lines
    for which that is so (None: all). service: something is booked. `event`: a place at it is taken.
    """

    target: Literal["shipping", "lines", "sale", "service", "gift", "returns"]
    amount_off: int | None = None
    lines: tuple[tuple[str, int], ...] | None = None
    opens_at: datetime | None = None
    sku: str | None = None
    days: int | None = None
    covers: tuple[str, ...] | None = None
    event: str | None = None

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"target": self.target}
        if self.amount_off is not None:
            found["amount_off"] = self.amount_off
        if self.lines is not None:
            found["lines"] = [{"id": line_id, "amount_off": amount} for line_id, amount in self.lines]
        if self.opens_at is not None:
            found["opens_at"] = self.opens_at
        if self.target not in PRICED:
            more = {"sku": self.sku, "days": self.days, "covers": self.covers, "event": self.event}
            found |= {name: value for name, value in more.items() if value is not None}
        return found


def off_the_basket(amount: int, question: Question) -> Effect:
    """A sum off the basket as a whole: from the lines in the order of their ids, which no sorting of them changes."""
    taken = dict(question.room.take(sorted(question.room.lines), amount))
    assert question.basket is not None
    lines = tuple((line.id, taken[line.id]) for line in question.basket.lines if line.id in taken)
    return Effect("lines", amount_off=sum(taken.values()), lines=lines)
