"""The verb behind POST /perk-checks: find the member, ask the engine, remember the decision. And its replay."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from membership.errors import DomainError
from membership.standing import Standing
from perks import catalogue, decisions, engine, lookup
from perks.models import Decision

if TYPE_CHECKING:
    from datetime import datetime

    from perks.engine import Answer
    from perks.lookup import Found
    from perks.schemas import CheckIn, MemberIn

JOIN_OFFER_SHARE = 20  # percent of the fee that this one basket must save before joining is suggested
NOT_KEPT, NOT_KEPT_EMAIL = "(not kept)", "not-kept@example.invalid"
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS

dumps = partial(orjson.dumps, option=_OPTIONS)


class UnknownPlan(DomainError):
    code = "unknown_plan"
    status = 422
    message = "if_joined: there is no such plan."


class NoSuchCheck(DomainError):
    code = "unknown_check"
    status = 404
    message = "There is no such perk check of this shop, or it is older than 13 months."


def answer(*, asked: CheckIn, raw: bytes, shop: int, at: datetime, as_of: datetime | None = None) -> bytes:
    """Decide, remember, and return the body of the answer. Raises UnknownPlan.

    `as_of`: decide for that moment instead, by what is known at `at`.
    """
    found = _find(asked.member, shop, at) if asked.member else None
    if as_of is not None and found is not None:
        found = lookup.as_of(found, as_of)
    ident = f"chk_{secrets.token_urlsafe(16)}"
    told, decided = _decide(asked, found, as_of or at)
    body = dumps({"id": ident, **told})
    question = _as_kept(asked, raw)
    member = found.member if found else None
    grants = orjson.dumps({d.perk: d.grant for d in decided.decisions if d.allowed})
    decisions.record(decisions.Entry(ident, shop, member, at, question, body, as_of, grants))
    if as_of is None and member is not None and decided.standing is Standing.GRACE:
        decisions.renewal_is_awaited(member)
    return body


def replay(*, ident: str, shop: int, at: datetime, parse: type[CheckIn]) -> bytes:
    """What was asked and answered then, and what the rules say today. Raises NoSuchCheck."""
    decisions.flush()
    kept = Decision.objects.select_related("member").filter(pk=ident, shop=shop).first()
    if kept is None:
        raise NoSuchCheck
    asked = parse.model_validate_json(kept.question)
    found = _found_again(kept, asked, at)
    try:
        today, _ = _decide(asked, found, at)
    except UnknownPlan:
        today = None
    return dumps(
        {
            "id": kept.pk,
            "as_of": kept.as_of,
            "question": orjson.Fragment(kept.question),
            "answer": orjson.Fragment(kept.answer),
            "today": today,
        }
    )


def _found_again(kept: Decision, asked: CheckIn, at: datetime) -> Found | None:
    """Who it was about. One who was found by e-mail is told of today only where they still allow that."""
    if kept.member is None:
        return None
    if asked.member is not None and asked.member.email is not None and not kept.member.found_by_email:
        return None
    return lookup.by_member(kept.member.pk, at=at)


def _find(member: MemberIn, shop: int, at: datetime) -> Found | None:
    if member.number is not None:
        return lookup.by_number(member.number, at=at)
    if member.card is not None:
        return lookup.by_card(member.card, at=at)
    if member.email is not None:
        return lookup.by_email(shop, member.email, member.confirmation, at=at)
    assert member.customer_ref is not None
    return lookup.by_customer_ref(shop, member.customer_ref, at=at)


def _decide(asked: CheckIn, found: Found | None, at: datetime) -> tuple[dict[str, Any], Answer]:
    """-> (the answer's body but for its id, what the engine decided)"""
    now = catalogue.current()
    facts = found.facts if found else None
    if asked.if_joined is not None:
        if asked.if_joined not in now.offers:
            raise UnknownPlan
        facts = now.offers[asked.if_joined].as_if_joined(at)
    decided = engine.decide(
        facts=facts,
        known=found is not None or facts is not None,
        by_email=asked.member is not None and asked.member.email is not None,
        basket=asked.basket,
        asked=asked.perks,
        world=now.world,
        at=at,
    )
    told = {
        "decided_at": at,
        "valid_until": decided.valid_until,
        "stale": False,
        "member": _member(found, decided),
        "decisions": [_decision(d) for d in decided.decisions],
        "totals": decided.totals._asdict() if decided.totals else None,
        "join_offer": None if facts is not None else _join_offer(asked, now, at),
    }
    return told, decided


def _member(found: Found | None, decided: Answer) -> dict[str, Any] | None:
    if found is None and decided.standing is None:
        return None
    return {
        "number": found.number if found else None,
        "tier": decided.tier,
        "standing": decided.standing,
        "entitled_until": decided.entitled_until,
    }


def _decision(decision: engine.Decision) -> dict[str, Any]:
    told = {**decision._asdict(), "effect": decision.effect.as_json() if decision.effect else None}
    del told["grant"]
    return told


def _join_offer(asked: CheckIn, now: catalogue.Catalogue, at: datetime) -> dict[str, Any] | None:
    """The plan that would pay off most on this very basket, if it saves a fair share of its fee."""
    best: dict[str, Any] | None = None
    if asked.basket is None:
        return None
    for offer in now.offers.values():
        fee = offer.fees.get(asked.basket.currency)
        if not fee:
            continue
        joined = offer.as_if_joined(at)
        totals = engine.decide(facts=joined, basket=asked.basket, asked=None, world=now.world, at=at).totals
        saving = totals.discount + totals.shipping_discount if totals else 0
        if saving * 100 < fee * JOIN_OFFER_SHARE or (best and saving - fee <= best["saving"] - best["fee"]):
            continue
        link = catalogue.link("checkout", offer.plan)
        best = {"plan": offer.plan, "fee": fee, "saving": saving, "currency": asked.basket.currency, "url": link}
    return best


def _as_kept(asked: CheckIn, raw: bytes) -> bytes:
    """A card's token opens doors and an address is personal, so neither is kept; the member found is, by id."""
    who = asked.member
    if who is None or (who.card is None and who.email is None):
        return raw
    hidden = {"card": NOT_KEPT} if who.card is not None else {"email": NOT_KEPT_EMAIL}
    kept = asked.model_copy(update={"member": who.model_copy(update=hidden)})
    return kept.model_dump_json(exclude_unset=True).encode()
