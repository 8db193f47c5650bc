"""What the API takes and gives where a member is found by e-mail address."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from perks.schemas import Email, Strict


class AddressIn(Strict):
    email: Email


class ConfirmationAsked(BaseModel):
    """The same for every address. Nobody but the owner of the mailbox learns whether a code was mailed."""

    id: Annotated[str, Field(examples=["emc_3kTMd2mqW0uPqkP1sW5c3g"])]
    expires_at: Annotated[datetime, Field(description="Until when the code may be told")]


class CodeIn(Strict):
    code: Annotated[str, Field(max_length=12, description="As the shopper tells it; spaces do not matter")]


class ConfirmationOut(BaseModel):
    confirmed: bool
    guesses_left: int
    valid_until: Annotated[
        datetime | None, Field(description="Until when perk checks may name it; tie your own customer id before")
    ]
