"""The perk check itself, pure: facts of a member, a basket and a moment in; decisions, totals and their shelf life out.

Rules are asked in the order in which a person would: is there such a perk, is there a member, do they hold it, may it
be used now, does it fit this basket, does it go together with the rest. The first no is the answer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from membership.standing import Standing
from perks import allowances, kinds, openings, sentences, stacking
from perks.basket import Basket, Room
from perks.kinds import Effect, Kind, KindSettings, Question, Refusal
from perks.kinds.base import NOBODY
from perks.stacking import Candidate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perks.facts import Facts, Held
    from perks.kinds.base import About, EventDates, SaleDates

LONGEST_VALIDITY = timedelta(hours=24)
# A "no" that a payment or a sign-up turns into a "yes" at any moment is not to be kept.
SHORTEST_VALIDITY = timedelta(minutes=1)
UNTIL_A_PAYMENT = {
    "unknown_member",
    "email_unconfirmed",
    "not_a_member",
    "membership_pending",
    "membership_lapsed",
    "membership_suspended",
    "membership_ended",
    "payment_overdue",
}

OUT_OF_STANDING = {
    Standing.PENDING: "membership_pending",
    Standing.LAPSED: "membership_lapsed",
    Standing.PAUSED: "membership_paused",
    Standing.SUSPENDED: "membership_suspended",
    Standing.ENDED: "membership_ended",
}


@dataclass(frozen=True, slots=True)
class World:
    """What the catalogue says now: kinds of the published perks by code, the sales, and where a payment is mended."""

    perks: Mapping[str, str]
    sales: Mapping[str, SaleDates]
    mend_url: str = ""
    events: Mapping[str, EventDates] = field(default_factory=dict)


class Decision(NamedTuple):
    perk: str
    kind: str | None
    allowed: bool
    reason: str
    message: str
    effect: Effect | None = None
    uses_left: int | None = None
    resets_at: datetime | None = None
    opens_at: datetime | None = None
    action_url: str | None = None
    grant: int | None = None  # what a yes stands on; never told outside


class Totals(NamedTuple):
    """Minor units. `other_discounts` are the shop's own; payable = lines + shipping - all three kinds of discount."""

    lines: int
    shipping: int
    discount: int
    shipping_discount: int
    other_discounts: int
    payable: int


class Answer(NamedTuple):
    standing: Standing | None
    tier: str | None
    entitled_until: datetime | None
    decisions: list[Decision]
    totals: Totals | None
    valid_until: datetime


def decide(
    *,
    facts: Facts | None,
    known: bool = True,
    by_email: bool = False,
    basket: Basket | None,
    asked: Sequence[str] | None,
    world: World,
    at: datetime,
) -> Answer:
    """Decisions for the perks `asked` (None: every published or held one), in that order.

    `facts` None: no membership; `known` False: the shop named nobody we know, or (`by_email`) nobody who lets
    themselves be found by it. Sentences are in the active language.
    """
    nobody = "" if known else "email_unconfirmed" if by_email else "unknown_member"
    standing = facts.standing(at) if facts else None
    held = facts.held(at, asked) if facts else {}
    codes = list(dict.fromkeys(asked if asked is not None else (*world.perks, *held)))
    about = facts.about if facts else NOBODY
    question = Question(at=at, basket=basket, room=Room(basket), sales=world.sales, member=about, events=world.events)
    outcomes: dict[str, Candidate | Refusal] = {}
    for code in codes:
        outcomes[code] = _weigh(code, facts, nobody, standing, held.get(code), world, question)
    effects = stacking.best({code: c for code, c in outcomes.items() if isinstance(c, Candidate)}, question)
    action_url = world.mend_url or None if standing is Standing.GRACE else None
    decisions = [_decision(code, outcomes[code], effects.get(code), question, world, action_url) for code in codes]
    return Answer(
        standing=standing,
        tier=facts.tier(at) if facts else None,
        entitled_until=facts.entitled_until if facts else None,
        decisions=decisions,
        totals=_totals(basket, question.room, effects.values()),
        valid_until=_valid_until(facts, outcomes.values(), question, [held[c] for c in codes if c in held]),
    )


def _weigh(
    code: str,
    facts: Facts | None,
    nobody: str,
    standing: Standing | None,
    held: Held | None,
    world: World,
    question: Question,
) -> Candidate | Refusal:
    """The perk's own rules, up to but without its effect."""
    if code not in world.perks and held is None:
        return Refusal("unknown_perk")
    if reason := _no_member(facts, nobody, standing, question.at):
        return Refusal(reason)
    if held is None:
        return Refusal("not_in_tier")
    weighed = _use(held, standing, question)
    while isinstance(weighed, Refusal) and held.instead is not None:
        held = held.instead
        weighed = _use(held, standing, question)
    if isinstance(weighed, Refusal) and weighed.reason == "not_open_yet" and facts is not None:
        return openings.as_entitled(weighed, held, kinds.load(held.kind, held.settings)[1], facts, question)
    return weighed


def _use(held: Held, standing: Standing | None, question: Question) -> Candidate | Refusal:
    kind, settings = kinds.load(held.kind, held.settings)
    if standing is Standing.GRACE and settings.in_grace != "keep":
        return Refusal("payment_overdue")
    uses_left, resets_at = uses(held, settings, question.member, question.at)
    if uses_left == 0:
        return Refusal("used_up", resets_at=resets_at)
    return _misfit(kind, settings, question) or Candidate(held, kind, settings, uses_left, resets_at)


def _no_member(facts: Facts | None, nobody: str, standing: Standing | None, at: datetime) -> str | None:
    if nobody:
        return nobody
    if facts is None or (facts.end_reason == "expired" and facts.began_at is None):
        return "not_a_member"  # also one who began to join, never paid, and was let go
    if standing in OUT_OF_STANDING:
        return OUT_OF_STANDING[standing]
    if facts.began_at is not None and at < facts.began_at:
        return "membership_pending"  # paid, or given, for a day to come
    return None


def uses(held: Held, settings: KindSettings, member: About, at: datetime) -> tuple[int | None, datetime | None]:
    """How many uses are left in the allowance's period, and when it starts anew. (None, None): it is unlimited."""
    if settings.allowance is None:
        return None, None
    period, resets_at = settings.period(at, member)
    return max(0, most(held, settings, member, at) - held.used_at(at).get(period, 0)), resets_at


def most(held: Held, settings: KindSettings, member: About, at: datetime) -> int:
    """How many uses the period of `at` has in all, with those that came over from the one before: its slots."""
    assert settings.allowance is not None
    if held.since is None:
        return settings.allowance.uses
    since = datetime.fromisoformat(held.since)
    return settings.allowance.uses + allowances.carried(settings.allowance, held.used_at(at), since, at, member.zone)


def _misfit(kind: Kind, settings: KindSettings, question: Question) -> Refusal | None:
    """Why this perk does not fit this basket."""
    basket = question.basket
    if basket is not None and not settings.takes(basket.currency):
        return Refusal("currency_mismatch", {"currency": basket.currency})
    if refusal := kind.refuse(settings, question):
        return refusal
    if basket is not None and basket.discounts and settings.stacking == "not_with_other_discounts":
        return Refusal("not_stackable")
    return None


def _decision(
    code: str,
    outcome: Candidate | Refusal,
    effect: Effect | None,
    question: Question,
    world: World,
    action_url: str | None,
) -> Decision:
    if isinstance(outcome, Candidate) and effect is None:
        outcome = Refusal("not_stackable")
    if isinstance(outcome, Refusal):
        return Decision(
            perk=code,
            kind=world.perks.get(code),
            allowed=False,
            reason=outcome.reason,
            message=sentences.refusal(outcome.reason, outcome.details, question.member.zone),
            uses_left=0 if outcome.reason == "used_up" else None,
            resets_at=outcome.resets_at,
            opens_at=outcome.opens_at,
            action_url=action_url,
        )
    return Decision(
        perk=code,
        kind=outcome.held.kind,
        allowed=True,
        reason=sentences.GRANTED,
        message=outcome.kind.sentence(outcome.settings, question),
        effect=effect,
        uses_left=outcome.uses_left,
        resets_at=outcome.resets_at,
        opens_at=effect.opens_at if effect else None,
        action_url=action_url,
        grant=outcome.held.grant,
    )


def _totals(basket: Basket | None, room: Room, effects: Iterable[Effect]) -> Totals | None:
    if basket is None:
        return None
    off: defaultdict[str, int] = defaultdict(int)
    for effect in effects:
        off[effect.target] += effect.amount_off or 0
    lines, shipping = basket.amount, basket.shipping.amount if basket.shipping else 0
    discounts = off["lines"] + off["shipping"] + room.taken_by_others
    return Totals(lines, shipping, off["lines"], off["shipping"], room.taken_by_others, lines + shipping - discounts)


def _valid_until(
    facts: Facts | None, outcomes: Iterable[Candidate | Refusal], question: Question, held: Iterable[Held]
) -> datetime:
    """The next known moment at which the answer could change: at most a day away, a minute where a payment decides."""
    outcomes = list(outcomes)
    moments = [question.at + LONGEST_VALIDITY]
    if any(isinstance(o, Refusal) and o.reason in UNTIL_A_PAYMENT for o in outcomes):
        moments.append(question.at + SHORTEST_VALIDITY)
    if facts is not None:
        moments += facts.moments()
    for outcome in outcomes:
        if outcome.resets_at is not None:
            moments.append(outcome.resets_at)
        if isinstance(outcome, Refusal) and outcome.opens_at is not None:
            moments.append(outcome.opens_at)
    moments += question.changes
    moments += [end for one in held if (end := one.next_free(question.at))]
    moments += [m for sale in question.sales.values() for m in (sale.opens_at, sale.closes_at)]
    return min(m for m in moments if m > question.at)
