"""What the redemption calls take and give (see schemas.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from perks.basket import MOST_LINES, WHOLE, Name
from perks.schemas import EffectOut, Strict

SHORTEST_HOLD, LONGEST_HOLD, USUAL_HOLD = 60, 7 * 24 * 3600, 30 * 60

Status = Annotated[
    Literal["held", "committed", "released", "returned", "expired"],
    Field(
        description="held: until expires_at. committed: the order was paid. released: it was abandoned. "
        "expired: neither was said in time. returned: all of it came back."
    ),
]

_HELD: dict[str, Any] = {
    "id": "red_Zk3v1m0S7cQw9eRtYuIoPA",
    "status": "held",
    "order": "1001",
    "check": "chk_3kTMd2mqW0uPqkP1sW5c3g",
    "member": "4821007399",
    "held_at": "2026-11-21T12:00:05Z",
    "expires_at": "2026-11-21T12:30:05Z",
    "committed_at": None,
    "closed_at": None,
    "perks": [
        {
            "perk": "free-shipping",
            "kind": "free_shipping",
            "status": "held",
            "effect": {"target": "shipping", "amount_off": 495},
            "currency": "EUR",
            "worth": 495,
        }
    ],
    "lines": [{"id": "1", "quantity": 2, "returned": 0}],
}


class HoldIn(Strict):
    """Which perks of a check an order uses. All of them are held, or none."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "check": "chk_3kTMd2mqW0uPqkP1sW5c3g",
                "order": "1001",
                "perks": ["free-shipping", "standing-discount"],
                "hold_seconds": USUAL_HOLD,
            }
        },
    )

    check: Annotated[str, Field(max_length=40, description="The id of a perk check of yours, within its valid_until")]
    order: Annotated[Name, Field(description="Your own id of the order")]
    perks: Annotated[list[Name], Field(min_length=1, max_length=100, description="Codes; the check said yes to each")]
    hold_seconds: Annotated[
        int,
        Field(
            strict=True,
            ge=SHORTEST_HOLD,
            le=LONGEST_HOLD,
            description="How long to hold; as long as your slowest payment takes",
        ),
        WHOLE,
    ] = USUAL_HOLD


class LineBack(Strict):
    id: Annotated[Name, Field(description="The line's id in the basket of the check", examples=["1"])]
    quantity: Annotated[int, Field(strict=True, ge=1, le=100_000, description="Pieces that came back this time"), WHOLE]


class ReturnIn(Strict):
    """What came back this time. Without `lines`: the whole order, or what is left of it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"lines": [{"id": "1", "quantity": 1}]}})

    lines: Annotated[list[LineBack] | None, Field(min_length=1, max_length=MOST_LINES)] = None

    @field_validator("lines")
    @classmethod
    def _named_once(cls, lines: list[LineBack] | None) -> list[LineBack] | None:
        if lines is not None and len({line.id for line in lines}) < len(lines):
            raise ValueError("name each line once")
        return lines


class UseOut(BaseModel):
    """One use of a perk. `worth` is what the member has of it, less what came back, in minor units of `currency`."""

    perk: str
    kind: str
    status: Status
    effect: EffectOut
    currency: str
    worth: int


class OrderLine(BaseModel):
    id: str
    quantity: int
    returned: int


class RedemptionOut(BaseModel):
    """The perks of one check, held for one order. Whether the member may use them was judged at `held_at`: what
    happens to the membership or the card afterwards does not touch it."""

    model_config = ConfigDict(json_schema_extra={"example": _HELD})

    id: str
    status: Status
    order: str
    check: str
    member: Annotated[str, Field(description="The member number")]
    held_at: Annotated[datetime, Field(description="When it was judged whether the member may use these perks")]
    expires_at: Annotated[datetime, Field(description="A hold not committed before this moment frees its uses")]
    committed_at: datetime | None
    closed_at: Annotated[datetime | None, Field(description="When it was released, expired, or wholly returned")]
    perks: list[UseOut]
    lines: Annotated[list[OrderLine], Field(description="The lines of the check's basket, and what came back")]
