"""What the API takes and gives, for validation and for the OpenAPI document. Answers are written, not validated.

Plain pydantic on purpose: ninja.Schema costs 58 µs a request more (docs/performance.md).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from perks.basket import Basket, Name

Standing = Literal["pending", "current", "grace", "lapsed", "paused", "suspended", "ended"]
Reason = Annotated[
    str,
    Field(
        description="Stable for ever. New ones may be added: treat one you do not know as a no.",
        examples=["granted"],
        json_schema_extra={
            "x-known-values": [
                "granted",
                "not_a_member",
                "unknown_member",
                "membership_lapsed",
                "membership_pending",
                "membership_paused",
                "membership_suspended",
                "membership_ended",
                "payment_overdue",
                "not_in_tier",
                "used_up",
                "below_minimum",
                "country_excluded",
                "method_excluded",
                "item_excluded",
                "nothing_eligible",
                "not_open_yet",
                "closed",
                "outside_window",
                "birthday_unknown",
                "full",
                "not_stackable",
                "currency_mismatch",
                "unknown_perk",
                "email_unconfirmed",
            ]
        },
    ),
]


# What is a space to one dialect of patterns and not to another is named, so that a client's validator agrees with ours.
NO_SPACE = r"[^\s@\x00-\x1f\x7f-\x9f\ufeff]"
Email = Annotated[str, Field(max_length=254, pattern=rf"^{NO_SPACE}+@{NO_SPACE}+$", examples=["ada@example.org"])]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _given(name: str) -> dict[str, Any]:
    """In JSON Schema: the field is there, and not null."""
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}


class MemberIn(Strict):
    """Who: exactly one of these."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "oneOf": [_given("number"), _given("card"), _given("customer_ref"), _given("email")],
            "anyOf": [_given("email"), {"properties": {"confirmation": {"type": "null"}}}],
        },
    )

    number: Annotated[str | None, Field(max_length=40, examples=["4821007399"])] = None
    card: Annotated[str | None, Field(max_length=512, description="A card's QR: the token or the whole URL")] = None
    customer_ref: Annotated[Name | None, Field(description="Your own id, tied by PUT /members/{number}/refs")] = None
    email: Annotated[
        Email | None,
        Field(description="Needs the scope members:email. Answers where the member allows it, else email_unconfirmed"),
    ] = None
    confirmation: Annotated[
        Name | None, Field(description="With email: the id of POST /email-confirmations, once its code was right")
    ] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.number, self.card, self.customer_ref, self.email)) != 1:
            raise ValueError("name the member by exactly one of number, card, customer_ref and email")
        if self.confirmation is not None and self.email is None:
            raise ValueError("a confirmation goes with the email it was asked for")
        return self


class CheckIn(Strict):
    """A question about a basket. Without `perks`, every published perk is decided."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "anyOf": [_given("member"), _given("if_joined")],
            "example": {
                "member": {"number": "4821007399"},
                "basket": {
                    "currency": "EUR",
                    "lines": [
                        {
                            "id": "1",
                            "sku": "COAT-9",
                            "quantity": 1,
                            "unit_amount": 12900,
                            "categories": ["coats"],
                            "sale": None,
                        }
                    ],
                    "shipping": {"country": "NL", "method": "standard", "amount": 495},
                    "discounts": [],
                },
                "perks": ["free-shipping", "standing-discount"],
                "channel": "web",
                "if_joined": None,
            },
        },
    )

    member: MemberIn | None = None
    basket: Basket | None = None
    perks: Annotated[list[Name] | None, Field(max_length=100)] = None
    channel: Name | None = None
    if_joined: Annotated[
        Name | None, Field(description="A plan's code: what would this shopper get, had they joined just now?")
    ] = None

    @model_validator(mode="after")
    def _about_somebody(self) -> Self:
        if self.member is None and self.if_joined is None:
            missing = PydanticCustomError("missing", "Field required, unless you ask with if_joined")
            # Said of the field, as every other 422 is: a plain ValueError would be said of the whole body.
            raise ValidationError.from_exception_data(
                type(self).__name__, [InitErrorDetails(type=missing, loc=("member",), input=None)]
            )
        return self


class MemberOut(BaseModel):
    number: str | None
    tier: str | None
    standing: Standing | None
    entitled_until: datetime | None


class LineOff(BaseModel):
    id: str
    amount_off: int


class EffectOut(BaseModel):
    """`target` shipping or lines: an amount off. The others change no price. sale: `opens_at`. service: something is
    booked, at an `event` if one is named. gift: put `sku` into the parcel. returns: goods may come back for `days`."""

    target: Literal["shipping", "lines", "sale", "service", "gift", "returns"]
    amount_off: int | None = None
    lines: list[LineOff] | None = None
    opens_at: datetime | None = None
    sku: str | None = None
    days: int | None = None
    covers: Annotated[list[str] | None, Field(description="Ids of the lines it is for; absent: of all")] = None
    event: str | None = None


class DecisionOut(BaseModel):
    perk: str
    kind: str | None
    allowed: bool
    reason: Reason
    message: Annotated[str, Field(description="One sentence that may be shown to the shopper (Accept-Language)")]
    effect: EffectOut | None
    uses_left: int | None
    resets_at: datetime | None
    opens_at: datetime | None
    action_url: Annotated[str | None, Field(description="In grace: the page on which the member mends the payment")]


class TotalsOut(BaseModel):
    """Minor units. payable = lines + shipping - discount - shipping_discount - other_discounts."""

    lines: int
    shipping: int
    discount: int
    shipping_discount: int
    other_discounts: int
    payable: int


class JoinOffer(BaseModel):
    plan: str
    fee: int
    saving: int
    currency: str
    url: str


class CheckBody(BaseModel):
    decided_at: datetime
    valid_until: Annotated[datetime, Field(description="The next moment at which this answer could change")]
    stale: bool
    member: MemberOut | None
    decisions: list[DecisionOut]
    totals: TotalsOut | None
    join_offer: JoinOffer | None


class CheckOut(CheckBody):
    id: Annotated[str, Field(examples=["chk_3kTMd2mqW0uPqkP1sW5c3g"])]


class ReplayOut(BaseModel):
    """A check as it was asked and answered, and what the rules say today (null if its plan is gone)."""

    id: str
    as_of: Annotated[datetime | None, Field(description="The moment a test key asked about, by X-Member-Clock")]
    question: dict[str, Any]
    answer: CheckOut
    today: CheckBody | None


FailMode = Annotated[
    Literal["allow", "deny"],
    Field(description="What to assume of the perk while this API does not answer: give it, or do not"),
]


class HeldPerk(BaseModel):
    perk: str
    kind: str
    name: str
    words: str
    fail_mode: FailMode
    uses_left: int | None
    resets_at: datetime | None


class MemberDetail(MemberOut):
    next_change: datetime | None
    perks: list[HeldPerk]


class RefIn(Strict):
    customer_ref: Annotated[Name, Field(examples=["C-1001"])]


class RefOut(BaseModel):
    number: str
    customer_ref: str


class PerkOut(BaseModel):
    perk: str
    kind: str
    name: str
    tiers: Annotated[dict[str, str], Field(description="Tier code to plain words", examples=[{"gold": "5 % off"}])]
    fail_modes: Annotated[
        dict[str, FailMode],
        Field(
            description="Tier code to what to assume while this API does not answer. Keep it beside your checkout",
            examples=[{"gold": "deny"}],
        ),
    ]


class SaleOut(BaseModel):
    sale: str
    name: str
    opens_at: Annotated[datetime, Field(description="For the public")]
    closes_at: datetime
    tiers: Annotated[dict[str, datetime], Field(description="When it opens for each tier that gets in earlier")]
    member_tier: Annotated[str | None, Field(description="Of the member asked about, while the membership counts")]
    tier_opens_at: Annotated[datetime | None, Field(description="What that tier gets by the catalogue")]
    member_opens_at: Annotated[
        datetime | None,
        Field(
            description="For the member asked about, with what they hold; a renewal due before is taken as paid until "
            "it is overdue"
        ),
    ]
    open: Annotated[bool, Field(description="Now, for the member asked about; without one, for the public")]


class CardIn(Strict):
    token: Annotated[str, Field(max_length=512, description="The token in a card's QR, or its whole URL")]


class CardOut(BaseModel):
    valid: bool
    reason: Annotated[str | None, Field(description="not_valid; with members:read also replaced")] = None
    tier: str | None = None
    standing: Standing | None = None
    entitled_until: datetime | None = None


class FieldProblem(BaseModel):
    field: Annotated[str, Field(examples=["basket.lines.0.quantity"])]
    message: str


class ProblemOut(BaseModel):
    """RFC 9457. `code` is stable; `errors` name the fields of a request that could not be understood."""

    type: str
    title: str
    status: int
    code: Annotated[str, Field(examples=["invalid_request"])]
    detail: str
    errors: list[FieldProblem] | None = None
