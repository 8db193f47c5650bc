"""The client of the VIP membership's perk API, for shops. Start with Client; README.md tells the rest.

It stands alone: nothing of the product is imported here, nothing but the standard library, and other modules of this
folder only relatively, so that the folder is a package wherever it is installed.
"""

from .client import Client, Exchange
from .errors import (
    BadKey,
    BadRequest,
    Conflict,
    FieldProblem,
    NoAnswer,
    NotFound,
    PerkApiError,
    Refused,
    TooMany,
)
from .fallback import Assumed, Decided, Memory
from .models import Basket, CheckOut, DecisionOut, Line, LineBack, MemberIn, OtherDiscount, RedemptionOut, Shipping
from .transport import Failed, HttpTransport, Received, Sent, Transport

__all__ = [
    "Assumed",
    "BadKey",
    "BadRequest",
    "Basket",
    "CheckOut",
    "Client",
    "Conflict",
    "Decided",
    "DecisionOut",
    "Exchange",
    "Failed",
    "FieldProblem",
    "HttpTransport",
    "Line",
    "LineBack",
    "MemberIn",
    "Memory",
    "NoAnswer",
    "NotFound",
    "OtherDiscount",
    "PerkApiError",
    "Received",
    "RedemptionOut",
    "Refused",
    "Sent",
    "Shipping",
    "TooMany",
    "Transport",
]
