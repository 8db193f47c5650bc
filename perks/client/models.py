"""What the API takes and gives.

Written by `./run manage write_client` from the API's schema. Not to be edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    currency: str
    lines: Sequence[Line] = ()
    shipping: Shipping | None = None
    discounts: Sequence[OtherDiscount] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardOut:
    valid: bool
    reason: str | None = None
    """not_valid; with members:read also replaced"""
    tier: str | None = None
    standing: Literal["pending", "current", "grace", "lapsed", "paused", "suspended", "ended"] | None = None
    entitled_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckBody:
    decided_at: datetime
    valid_until: datetime
    """The next moment at which this answer could change"""
    stale: bool
    member: MemberOut | None
    decisions: list[DecisionOut]
    totals: TotalsOut | None
    join_offer: JoinOffer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOut:
    decided_at: datetime
    valid_until: datetime
    """The next moment at which this answer could change"""
    stale: bool
    member: MemberOut | None
    decisions: list[DecisionOut]
    totals: TotalsOut | None
    join_offer: JoinOffer | None
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationAsked:
    """The same for every address. Nobody but the owner of the mailbox learns whether a code was mailed."""

    id: str
    expires_at: datetime
    """Until when the code may be told"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationOut:
    confirmed: bool
    guesses_left: int
    valid_until: datetime | None
    """Until when perk checks may name it; tie your own customer id before"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionOut:
    perk: str
    kind: str | None
    allowed: bool
    reason: str
    """Stable for ever. New ones may be added: treat one you do not know as a no. Known: granted, not_a_member,
    unknown_member, membership_lapsed, membership_pending, membership_paused, membership_suspended,
    membership_ended, payment_overdue, not_in_tier, used_up, below_minimum, country_excluded, method_excluded,
    item_excluded, nothing_eligible, not_open_yet, closed, outside_window, birthday_unknown, full, not_stackable,
    currency_mismatch, unknown_perk, email_unconfirmed.
    """
    message: str
    """One sentence that may be shown to the shopper (Accept-Language)"""
    effect: EffectOut | None
    uses_left: int | None
    resets_at: datetime | None
    opens_at: datetime | None
    action_url: str | None
    """In grace: the page on which the member mends the payment"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectOut:
    """`target` shipping or lines: an amount off. The others change no price. sale: `opens_at`. service: something is
    booked, at an `event` if one is named. gift: put `sku` into the parcel. returns: goods may come back for
    `days`.
    """

    target: Literal["shipping", "lines", "sale", "service", "gift", "returns"]
    amount_off: int | None = None
    lines: list[LineOff] | None = None
    opens_at: datetime | None = None
    sku: str | None = None
    days: int | None = None
    covers: list[str] | None = None
    """Ids of the lines it is for; absent: of all"""
    event: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPerk:
    perk: str
    kind: str
    name: str
    words: str
    fail_mode: Literal["allow", "deny"]
    """What to assume of the perk while this API does not answer: give it, or do not"""
    uses_left: int | None
    resets_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinOffer:
    plan: str
    fee: int
    saving: int
    currency: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: `quantity` pieces at `unit_amount` each. `sale` is the code of the sale it is sold in, if any."""

    id: str
    sku: str
    quantity: int
    unit_amount: int
    categories: Sequence[str] = ()
    sale: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineBack:
    id: str
    """The line's id in the basket of the check"""
    quantity: int
    """Pieces that came back this time"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOff:
    id: str
    amount_off: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDetail:
    number: str | None
    tier: str | None
    standing: Literal["pending", "current", "grace", "lapsed", "paused", "suspended", "ended"] | None
    entitled_until: datetime | None
    next_change: datetime | None
    perks: list[HeldPerk]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberIn:
    """Who: exactly one of these."""

    number: str | None = None
    card: str | None = None
    """A card's QR: the token or the whole URL"""
    customer_ref: str | None = None
    """Your own id, tied by PUT /members/{number}/refs"""
    email: str | None = None
    """Needs the scope members:email. Answers where the member allows it, else email_unconfirmed"""
    confirmation: str | None = None
    """With email: the id of POST /email-confirmations, once its code was right"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberOut:
    number: str | None
    tier: str | None
    standing: Literal["pending", "current", "grace", "lapsed", "paused", "suspended", "ended"] | None
    entitled_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    id: str
    quantity: int
    returned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherDiscount:
    """A discount that the shop gives by itself: on one line, or (without `line`) on the basket."""

    code: str
    amount: int
    line: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PerkOut:
    perk: str
    kind: str
    name: str
    tiers: dict[str, str]
    """Tier code to plain words"""
    fail_modes: dict[str, Literal["allow", "deny"]]
    """Tier code to what to assume while this API does not answer. Keep it beside your checkout"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionOut:
    """The perks of one check, held for one order. Whether the member may use them was judged at `held_at`: what
    happens to the membership or the card afterwards does not touch it.
    """

    id: str
    status: Literal["held", "committed", "released", "returned", "expired"]
    """held: until expires_at. committed: the order was paid. released: it was abandoned. expired: neither was said
    in time. returned: all of it came back.
    """
    order: str
    check: str
    member: str
    """The member number"""
    held_at: datetime
    """When it was judged whether the member may use these perks"""
    expires_at: datetime
    """A hold not committed before this moment frees its uses"""
    committed_at: datetime | None
    closed_at: datetime | None
    """When it was released, expired, or wholly returned"""
    perks: list[UseOut]
    lines: list[OrderLine]
    """The lines of the check's basket, and what came back"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefOut:
    number: str
    customer_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOut:
    """A check as it was asked and answered, and what the rules say today (null if its plan is gone)."""

    id: str
    as_of: datetime | None
    """The moment a test key asked about, by X-Member-Clock"""
    question: dict[str, Any]
    answer: CheckOut
    today: CheckBody | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleOut:
    sale: str
    name: str
    opens_at: datetime
    """For the public"""
    closes_at: datetime
    tiers: dict[str, datetime]
    """When it opens for each tier that gets in earlier"""
    member_tier: str | None
    """Of the member asked about, while the membership counts"""
    tier_opens_at: datetime | None
    """What that tier gets by the catalogue"""
    member_opens_at: datetime | None
    """For the member asked about, with what they hold; a renewal due before is taken as paid until it is overdue"""
    open: bool
    """Now, for the member asked about; without one, for the public"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipping:
    """How the goods travel. `country` is ISO 3166-1 alpha-2; `method` is the shop's own word (standard, express)."""

    country: str
    method: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsOut:
    """Minor units. payable = lines + shipping - discount - shipping_discount - other_discounts."""

    lines: int
    shipping: int
    discount: int
    shipping_discount: int
    other_discounts: int
    payable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UseOut:
    """One use of a perk. `worth` is what the member has of it, less what came back, in minor units of `currency`."""

    perk: str
    kind: str
    status: Literal["held", "committed", "released", "returned", "expired"]
    """held: until expires_at. committed: the order was paid. released: it was abandoned. expired: neither was said
    in time. returned: all of it came back.
    """
    effect: EffectOut
    currency: str
    worth: int
