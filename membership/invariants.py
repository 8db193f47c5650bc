"""Invariants: sentences that are always true of the database. Each app registers its own; check_invariants asks all.

A check returns its breaches, a line each, naming the row. It only reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.apps import apps
from django.db.models import Count, F, Q

from membership import celery, clock, standing, terms
from membership.models import OPEN, Card, Member, Membership, Term, Tick, Work

LATE = timedelta(minutes=10)

Check = Callable[[], Iterable[str]]


@dataclass(frozen=True)
class Invariant:
    id: str
    sentence: str
    check: Check
    outside: str = ""  # the other system it must ask, if any


_registered: list[Invariant] = []


def invariant(ident: str, sentence: str, *, outside: str = "") -> Callable[[Check], Check]:
    """Register a check under an invariant's id; several may share one id. `outside` names whom it must ask."""

    def decorate(check: Check) -> Check:
        _registered.append(Invariant(ident, sentence, check, outside))
        return check

    return decorate


def all_registered() -> list[Invariant]:
    """Every invariant, in the order of its number."""
    return sorted(_registered, key=lambda i: int(i.id.removeprefix("I")))


@invariant("I1", "a member has at most one open membership")
def one_open_membership() -> Iterable[str]:
    crowded = Member.objects.annotate(n=Count("memberships", filter=Q(memberships__status__in=OPEN))).filter(n__gt=1)
    for member in crowded:
        yield f"member {member.pk} has more than one open membership"


@invariant("I3", "terms do not overlap, leave no gap but under a stop, and end at anchor + ordinal × interval")
def terms_tile() -> Iterable[str]:
    last: Term | None = None
    for term in Term.objects.order_by("membership_id", "starts_at").iterator():
        if term.ends_at != terms.end_of(term):
            yield f"term {term.pk} does not end at its anchor + {term.ordinal} × {term.every} {term.interval}"
        if last is not None and last.membership_id == term.membership_id and last.ends_at != term.starts_at:
            wrong = "overlaps" if last.ends_at > term.starts_at else "leaves a gap after"
            if last.ends_at > term.starts_at or not _stopped_between(last, term):
                yield f"term {term.pk} {wrong} term {last.pk}"
        last = term


def _stopped_between(last: Term, term: Term) -> bool:
    """Whole periods may pass under a stop, unpaid; no other gap is right."""
    apart = Term(anchor_at=term.anchor_at, interval=term.interval, every=term.every, ordinal=term.ordinal - 1)
    in_step = term.ordinal > 1 and terms.end_of(apart) == term.starts_at
    return in_step and standing.was_stopped(term.membership, last.ends_at, term.starts_at)


@invariant("I4", "entitled_until and status equal their recomputation")
def stored_equals_computed() -> Iterable[str]:
    for membership in Membership.objects.with_facts().iterator(chunk_size=500):
        if membership.entitled_until != standing.computed_entitled_until(membership):
            yield f"membership {membership.pk}: entitled_until differs from what its terms give"
        if membership.status != standing.computed_status(membership):
            yield f"membership {membership.pk}: status {membership.status} differs from what its facts give"


@invariant("I16", "at most one unrevoked card a member; none is revoked before it was issued")
def cards_are_single() -> Iterable[str]:
    crowded = Member.objects.annotate(n=Count("cards", filter=Q(cards__revoked_at=None))).filter(n__gt=1)
    for member in crowded:
        yield f"member {member.pk} has more than one valid card"
    for card in Card.objects.exclude(revoked_at=None).filter(revoked_at__lt=F("issued_at")):
        yield f"card {card.pk} was revoked before it was issued"


@invariant("I14", "nothing due is more than 10 minutes late; the last tick is younger than two intervals")
def work_is_done_in_time() -> Iterable[str]:
    """Late is what a sweep left lying, by the product's clock; silent is one that did not run, by the wall's.

    So a clock that is moved makes nothing late that no sweep has had the chance to do.
    """
    every = {name: timedelta(seconds=entry["schedule"]) for name, entry in celery.schedule().items()}
    ticks = {tick.name: tick for tick in Tick.objects.filter(name__in=every)}
    for name, tick in ticks.items():
        if tick.ran_wall < clock.wall() - max(2 * every[name], LATE):
            yield f'"{name}" has not run since {tick.ran_wall:%Y-%m-%d %H:%M}'
    for model in apps.get_models():
        swept = ticks.get(model.swept_by) if issubclass(model, Work) else None
        if swept is not None:
            left = model._default_manager.filter(done_at=None, parked_reason="", due_at__lt=swept.ran_at - LATE)
            for pk, due_at in left.order_by("pk").values_list("pk", "due_at"):
                yield f"{model.__name__} {pk} has been due since {due_at:%Y-%m-%d %H:%M}"
