"""What is given back, and why: pure arithmetic over what was paid. Nothing here reads a clock, a row or Stripe.

Three bases. *Cooling-off*: the law's right to change one's mind; all that was paid comes back. *House*: the
programme's own rule; the days not yet begun, by day, less the worth of perks used. *Goodwill*: an amount that staff
name, with a reason, and above a limit with a second person. Each quote carries its working, line by line, so that a
member can follow it. No quote is below zero or above what is left of a payment: paid − given back − disputed.

Amounts are minor units; days are local to the membership.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from membership.errors import DomainError

# The EEA: Iceland, Liechtenstein and Norway have taken the directive over.
# fmt: off
EU = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "IS", "LI", "NO",
})
# fmt: on
GB = frozenset({"GB"})


class Basis(StrEnum):
    COOLING_OFF = "cooling_off"
    HOUSE = "house"
    GOODWILL = "goodwill"


class NothingToRefund(DomainError):
    code = "nothing_to_refund"
    message = "There is nothing to give back."


class TooMuch(DomainError):
    code = "refund_too_much"
    message = "More than what is left of the payments cannot be given back."


class NeedsSecondPerson(DomainError):
    code = "needs_second_person"
    status = 403
    message = "An amount above the limit needs the approval of a second person."


class NeedsReason(DomainError):
    code = "needs_reason"
    status = 422
    message = "A goodwill refund needs a reason."


@dataclass(frozen=True, kw_only=True)
class Law:
    """A jurisdiction's right to change one's mind, for contracts made (or renewed) from `since` on."""

    jurisdiction: str
    since: date
    days: int = 14
    renewals: bool = False  # also after a renewal that lasts a year or more, or that follows a trial
    working_day: bool = False  # a period that would end at a weekend ends with the next working day
    source: str


# Which law counts is decided by the day the contract was made or renewed, never by today.
LAWS = (
    Law(
        jurisdiction="EU",
        since=date(2014, 6, 13),
        working_day=True,
        source=(
            "Directive 2011/83/EU, Art. 9(1), (2)(a): 14 days from the day the contract is concluded. Regulation "
            "1182/71, Art. 3: that day is not counted, and a period ends no sooner than with a working day (public "
            "holidays are not known here; whoever asks on the day after one is helped by goodwill). CJEU C-565/22 "
            "(Sofatutor): once a contract, not again at its automatic renewal. Nothing is deducted: Art. 14(3), (4)(a) "
            "allow a deduction only if the member expressly asked for an early start and was told of it; our "
            "agreement does not ask."
        ),
    ),
    Law(
        jurisdiction="GB",
        since=date(2014, 6, 13),
        source="Consumer Contracts Regulations 2013, reg. 29 and 30: 14 days after the day the contract is made.",
    ),
    Law(
        jurisdiction="GB",
        since=date(2027, 4, 1),
        renewals=True,
        source=(
            "Digital Markets, Competition and Consumers Act 2024, Part 4 Chapter 2: a second cooling-off of 14 days "
            "when a renewal lasts 12 months or more, or follows a trial. Announced for spring 2027 (government "
            "response of 2 April 2026); no day is named yet. 1 April 2027 is assumed: early is on the member's side."
        ),
    ),
)


def jurisdiction_of(country: str, home: str) -> str:
    """Whose law protects a member who pays from `country` (ISO 3166); the programme's `home` where it is unknown.

    Rome I, Art. 6: the law of the consumer's residence protects them. "" where we know of no such right.
    """
    if not country:
        return home
    return "EU" if country in EU else "GB" if country in GB else ""


def law_on(jurisdiction: str, day: date, laws: tuple[Law, ...] = LAWS) -> Law | None:
    """The law in force in a jurisdiction on `day`."""
    known = [law for law in laws if law.jurisdiction == jurisdiction and law.since <= day]
    return max(known, key=lambda law: law.since, default=None)


def last_day(law: Law, begun_on: date) -> date:
    """The last local day of the right, for a contract made on `begun_on`, which itself is not counted."""
    last = begun_on + timedelta(days=law.days)
    while law.working_day and last.weekday() >= 5:
        last += timedelta(days=1)
    return last


@dataclass(frozen=True, kw_only=True)
class Paid:
    """One payment: what was captured, what went back already, and the local days [starts_on, ends_on) it bought."""

    ref: int
    captured: int
    returned: int = 0
    disputed: int = 0
    starts_on: date
    ends_on: date

    @property
    def left(self) -> int:
        return max(0, self.captured - self.returned - self.disputed)


@dataclass(frozen=True, kw_only=True)
class Case:
    """All that a quote follows from. `perks_used` is their worth to the member.

    `payments` are those for time that is not over, oldest first. `renewed_on` is set when the running term is a
    renewal that lasts a year or more, or that follows a trial.
    """

    today: date
    currency: str
    jurisdiction: str
    concluded_on: date
    payments: tuple[Paid, ...]
    renewed_on: date | None = None
    perks_used: int = 0


@dataclass(frozen=True)
class Line:
    """A line of the working: what it says (`code`; refund_words.py has the words) and its amount, minus if taken off.

    `used` and `days`: the days begun, of how many.
    """

    code: str
    amount: int
    used: int = 0
    days: int = 0


@dataclass(frozen=True)
class Part:
    """What goes back of one payment."""

    ref: int
    amount: int


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What would be given back, exactly. `until` is the last day of a right; None for what is not one."""

    basis: Basis
    currency: str
    parts: tuple[Part, ...]
    working: tuple[Line, ...]
    until: date | None = None

    @property
    def amount(self) -> int:
        return sum(part.amount for part in self.parts)

    @property
    def mark(self) -> str:
        """Two quotes with the same mark give the same money back for the same reason."""
        parts = ",".join(f"{part.ref}:{part.amount}" for part in self.parts)
        return f"{self.basis}/{self.currency}/{parts}"


def cooling_off(case: Case) -> Quote | None:
    """All that is left of what was paid, while the law's days last. None: no such right today."""
    until = _right_until(case)
    if until is None:
        return None
    since = case.concluded_on if case.renewed_on is None else case.renewed_on
    paid = tuple(p for p in case.payments if p.ends_on > since)
    parts = tuple(Part(p.ref, p.left) for p in paid if p.left)
    working = (*_lines_of(paid), Line("total", sum(part.amount for part in parts)))
    return Quote(basis=Basis.COOLING_OFF, currency=case.currency, parts=parts, working=working, until=until)


def _right_until(case: Case) -> date | None:
    first = law_on(case.jurisdiction, case.concluded_on)
    if first is not None and case.today <= last_day(first, case.concluded_on):
        return last_day(first, case.concluded_on)
    if case.renewed_on is None:
        return None
    again = law_on(case.jurisdiction, case.renewed_on)
    if again is None or not again.renewals or case.today > last_day(again, case.renewed_on):
        return None
    return last_day(again, case.renewed_on)


def house(case: Case) -> Quote:
    """The days not yet begun of each payment, rounded down to the cent, less the worth of perks used.

    Today counts as used. The worth of perks is taken off once, from the payments in turn.
    """
    running = tuple(p for p in case.payments if p.ends_on > case.today)
    parts, working, to_take = [], [], case.perks_used
    for paid in running:
        share, line = _unused(paid, case.today)
        taken = min(share, to_take)
        to_take -= taken
        amount = min(share - taken, paid.left)
        parts.append(Part(paid.ref, amount))
        working += [Line("paid", paid.captured), line]
        if amount < share - taken:
            working.append(Line("no_more_than_left", amount - (share - taken)))
    total = sum(part.amount for part in parts)
    working += [Line("perks", -case.perks_used), Line("total", total)]
    return Quote(
        basis=Basis.HOUSE,
        currency=case.currency,
        parts=tuple(part for part in parts if part.amount),
        working=tuple(working),
    )


def _unused(paid: Paid, today: date) -> tuple[int, Line]:
    days = max(1, (paid.ends_on - paid.starts_on).days)
    left = min(days, max(0, (paid.ends_on - max(today + timedelta(days=1), paid.starts_on)).days))
    share = paid.captured * left // days
    return share, Line("days_used", share - paid.captured, used=days - left, days=days)


def goodwill(case: Case, *, amount: int) -> Quote:
    """An amount that staff name, out of the newest payments first. Raises NothingToRefund, TooMuch."""
    left = sum(paid.left for paid in case.payments)
    if amount < 1 or not left:
        raise NothingToRefund
    if amount > left:
        raise TooMuch(left=left)
    parts, wanted = [], amount
    for paid in reversed(case.payments):
        taken = min(wanted, paid.left)
        wanted -= taken
        if taken:
            parts.append(Part(paid.ref, taken))
    lines = (*_lines_of(case.payments), Line("goodwill", amount), Line("total", amount))
    return Quote(basis=Basis.GOODWILL, currency=case.currency, parts=tuple(parts), working=lines)


def _lines_of(payments: tuple[Paid, ...]) -> tuple[Line, ...]:
    lines = []
    for paid in payments:
        lines.append(Line("paid", paid.captured))
        lines += [Line("returned", -paid.returned)] if paid.returned else []
        lines += [Line("disputed", -paid.disputed)] if paid.disputed else []
    return tuple(lines)


def check_goodwill(*, amount: int, limit: int, reason: str, actor: str, approved_by: str) -> None:
    """A reason always; above `limit` a second person, who is another. Raises NeedsReason, NeedsSecondPerson."""
    if not reason.strip():
        raise NeedsReason
    if amount > limit and approved_by in ("", actor):
        raise NeedsSecondPerson(limit=limit)
