"""What one writes first: a ninja route with schemas in and out and five ORM queries. Same tables, same answer."""

from __future__ import annotations

import hashlib
import os
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.rivals.naive_settings"

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from django.http import HttpRequest  # noqa: E402
from django.urls import path  # noqa: E402
from ninja import NinjaAPI, Schema  # noqa: E402
from ninja.security import HttpBearer  # noqa: E402

from membership.models import Member, Membership, Term  # noqa: E402
from perks.models import ApiKey, Grant  # noqa: E402


class LineIn(Schema):
    id: str
    sku: str
    quantity: int
    unit_amount: int
    categories: list[str] = []
    sale: str | None = None


class ShippingIn(Schema):
    country: str
    method: str
    amount: int


class BasketIn(Schema):
    currency: str
    lines: list[LineIn] = []
    shipping: ShippingIn
    discounts: list[dict[str, Any]] = []


class MemberIn(Schema):
    number: str


class Question(Schema):
    member: MemberIn
    basket: BasketIn
    perks: list[str]
    channel: str | None = None
    if_joined: str | None = None


class MemberOut(Schema):
    number: str
    tier: str
    standing: str
    entitled_until: datetime


class DecisionOut(Schema):
    perk: str
    kind: str
    allowed: bool
    reason: str
    message: str
    effect: dict[str, Any] | None
    uses_left: int | None = None
    resets_at: datetime | None = None
    opens_at: datetime | None = None
    action_url: str | None = None


class Totals(Schema):
    lines: int
    shipping: int
    discount: int
    shipping_discount: int
    other_discounts: int
    payable: int


class Answer(Schema):
    id: str
    decided_at: datetime
    valid_until: datetime
    stale: bool
    member: MemberOut
    decisions: list[DecisionOut]
    totals: Totals
    join_offer: dict[str, Any] | None


class Key(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        digest = hashlib.sha256(token.encode()).hexdigest()
        return ApiKey.objects.select_related("shop").filter(secret_hash=digest, revoked_at=None).first()


api = NinjaAPI(docs_url=None, openapi_url=None, auth=Key())


@api.post("/perk-checks", response=Answer)
def check(request: HttpRequest, asked: Question) -> dict[str, Any]:
    now = datetime.now(UTC)
    member = Member.objects.get(number=asked.member.number)
    membership = Membership.objects.filter(member=member, status="active").latest("reserved_at")
    term = (
        Term.objects.select_related("plan__tier").filter(membership=membership, starts_at__lte=now).latest("starts_at")
    )
    grants = Grant.objects.select_related("perk").filter(term=term, starts_at__lte=now, ends_at__gt=now)
    decided = [_decide(grant, asked.basket) for grant in grants if grant.perk.code in asked.perks]
    lines = sum(line.quantity * line.unit_amount for line in asked.basket.lines)
    off = {d["effect"]["target"]: d["effect"]["amount_off"] for d in decided}
    return {
        "id": f"chk_{secrets.token_urlsafe(16)}",
        "decided_at": now,
        "valid_until": now + timedelta(hours=24),
        "stale": False,
        "member": {
            "number": member.number,
            "tier": term.plan.tier.code,
            "standing": "current" if membership.entitled_until and now < membership.entitled_until else "lapsed",
            "entitled_until": membership.entitled_until,
        },
        "decisions": decided,
        "totals": {
            "lines": lines,
            "shipping": asked.basket.shipping.amount,
            "discount": off.get("lines", 0),
            "shipping_discount": off.get("shipping", 0),
            "other_discounts": 0,
            "payable": lines + asked.basket.shipping.amount - sum(off.values()),
        },
        "join_offer": None,
    }


def _decide(grant: Grant, basket: BasketIn) -> dict[str, Any]:
    if grant.perk.kind == "free_shipping":
        message = f"Free {basket.shipping.method} delivery to the Netherlands."
        effect: dict[str, Any] = {"target": "shipping", "amount_off": basket.shipping.amount}
    else:
        percent = int(grant.settings["percent"])
        message = f"{percent} % off everything."
        off = [
            {"id": line.id, "amount_off": (line.quantity * line.unit_amount * percent + 50) // 100}
            for line in basket.lines
        ]
        effect = {"target": "lines", "amount_off": sum(line["amount_off"] for line in off), "lines": off}
    return {
        "perk": grant.perk.code,
        "kind": grant.perk.kind,
        "allowed": True,
        "reason": "granted",
        "message": message,
        "effect": effect,
    }


urlpatterns = [path("api/v1/", api.urls)]
