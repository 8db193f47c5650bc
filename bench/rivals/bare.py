"""The yardstick: what django-ninja can do at best. Plain BaseModel in, orjson out; no database, no middleware.

It gives the product's answer for the benchmark's question, with the rules of one gold member written out by hand.
"""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import django
import orjson
from django.conf import settings

settings.configure(
    SECRET_KEY="bench",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[],
    USE_TZ=True,
    LOGGING_CONFIG=None,
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from ninja import NinjaAPI  # noqa: E402
from pydantic import BaseModel  # noqa: E402


class Line(BaseModel):
    id: str
    sku: str
    quantity: int
    unit_amount: int
    categories: list[str] = []
    sale: str | None = None


class Shipping(BaseModel):
    country: str
    method: str
    amount: int


class Basket(BaseModel):
    currency: str
    lines: list[Line] = []
    shipping: Shipping
    discounts: list[dict[str, Any]] = []


class Member(BaseModel):
    number: str


class Question(BaseModel):
    member: Member
    basket: Basket
    perks: list[str]
    channel: str | None = None
    if_joined: str | None = None


api = NinjaAPI(docs_url=None, openapi_url=None)
UNTIL = os.environ["BENCH_UNTIL"]


@api.post("/perk-checks")
def check(request: HttpRequest, asked: Question) -> HttpResponse:
    now = datetime.now(UTC)
    lines = sum(line.quantity * line.unit_amount for line in asked.basket.lines)
    off = [(line.id, (line.quantity * line.unit_amount * 5 + 50) // 100) for line in asked.basket.lines]
    discount, shipping = sum(amount for _, amount in off), asked.basket.shipping.amount
    rest = {"uses_left": None, "resets_at": None, "opens_at": None, "action_url": None}
    answer = {
        "id": f"chk_{secrets.token_urlsafe(16)}",
        "decided_at": now,
        "valid_until": now + timedelta(hours=24),
        "stale": False,
        "member": {"number": asked.member.number, "tier": "gold", "standing": "current", "entitled_until": UNTIL},
        "decisions": [
            {
                "perk": "free-shipping",
                "kind": "free_shipping",
                "allowed": True,
                "reason": "granted",
                "message": "Free standard delivery to the Netherlands.",
                "effect": {"target": "shipping", "amount_off": shipping},
                **rest,
            },
            {
                "perk": "standing-discount",
                "kind": "percent_discount",
                "allowed": True,
                "reason": "granted",
                "message": "5 % off everything.",
                "effect": {
                    "target": "lines",
                    "amount_off": discount,
                    "lines": [{"id": line_id, "amount_off": amount} for line_id, amount in off],
                },
                **rest,
            },
        ],
        "totals": {
            "lines": lines,
            "shipping": shipping,
            "discount": discount,
            "shipping_discount": shipping,
            "other_discounts": 0,
            "payable": lines - discount,
        },
        "join_offer": None,
    }
    body = orjson.dumps(answer, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS)
    return HttpResponse(body, content_type="application/json", headers={"Content-Length": str(len(body))})


urlpatterns = [path("api/v1/", api.urls)]
application = get_wsgi_application()
