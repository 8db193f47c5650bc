"""What would make a rehearsal fail: a broken invariant, a cent that is not where Stripe has it, something not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.rehearsal import at_stripe, books, reports
from membership import clock, invariants

if TYPE_CHECKING:
    from billing.rehearsal.till import Till


def broken(*, offline: bool = False) -> list[str]:
    """Every breach of an invariant, a line each. `offline`: of those alone that need not ask Stripe.

    Raises StripeUnavailable.
    """
    asked = [one for one in invariants.all_registered() if not (offline and one.outside)]
    return [f"{one.id} ({one.sentence}): {breach}" for one in asked for breach in one.check()]


def unequal() -> list[str]:
    """Every charge on which our ledger and Stripe's do not agree, a line each."""
    return books.differences(books.ours(), books.stripes())


def misreported(till: Till) -> list[str]:
    """Every figure of a report that is not so, a line each. `till`: what was booked there.

    Raises StripeUnavailable.
    """
    at, lives = clock.now(), [*at_stripe.lives(), *(paid.life for paid in till.counter)]
    return [
        *reports.wrong_about_members(at, lives),
        *reports.wrong_about_money(at),
        *reports.wrong_about_movements(at, lives),
        *reports.wrong_about_offline(at, till.counter),
        *reports.wrong_about_renewals(at, lives),
        *reports.wrong_about_perks(at, till.uses),
        *reports.wrong_about_risk(at, lives, till.uses),
    ]


def missing(happened: dict[str, int]) -> list[str]:
    """The kinds of things that never happened: a rehearsal without them shows nothing about them."""
    return [name for name, times in happened.items() if not times]
