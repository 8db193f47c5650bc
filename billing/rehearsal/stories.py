"""The lives that are lived in a rehearsal: who does what, how many days after joining. The first ones of a cast live
each story once; of all further people most simply stay.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing.rehearsal.people import (
    CONFIRMED,
    FRAUD,
    GOOD,
    INQUIRY,
    NOT_RECEIVED,
    REFUND_FAILS,
    REFUND_PENDING,
    Person,
)

PLANS = ("bronze-year", "silver-year", "gold-year")
STAYERS = 0.6  # of those beyond the first of each story
YEAR = 366  # days, after which a first renewal has been due, whatever the year
MARGIN = 25  # days left after a life's last act


@dataclass(frozen=True, order=True)
class Act:
    """`do` is done at `at`; `name` says what. It answers whether it could be done."""

    at: datetime
    number: int
    name: str
    do: Callable[[], object] = field(compare=False)


@dataclass(frozen=True)
class When:
    """At some moment between so many days after joining and so many."""

    after: float
    before: float
    does: Callable[[Person], bool]


@dataclass(frozen=True)
class Story:
    """A life. `plan` is "" where any will do."""

    name: str
    acts: tuple[When, ...] = ()
    plan: str = ""
    card: str = GOOD
    first: Callable[[Person], bool] = Person.joins

    @property
    def lasts(self) -> float:
        return max((act.before for act in self.acts), default=YEAR) + MARGIN


SHOPPING = (  # what everybody does beside it, as a member or no more
    *(When(after, after + 15, Person.shops) for after in (1, 20, 60, 140, 200, 320)),
    When(80, 130, Person.sends_something_back),
)
STAYS = Story("stays")
STORIES = (
    STAYS,
    # leaving, and coming back
    Story("leaves", (When(20, 300, Person.cancels),)),
    Story("leaves and comes back", (When(20, 300, Person.cancels), When(400, 440, Person.joins))),
    Story("has second thoughts", (When(20, 150, Person.cancels), When(160, 300, Person.stays_after_all))),
    Story("leaves at Stripe", (When(20, 300, Person.cancels_at_stripe),)),
    # a renewal that is not paid at once
    Story("cannot pay", (When(100, 300, Person.card_goes_bad),)),
    Story("cannot pay, comes back", (When(100, 300, Person.card_goes_bad), When(405, 430, Person.joins))),
    Story(
        "mends it with another card", (When(100, 300, Person.card_goes_bad), When(368, 373, Person.gives_another_card))
    ),
    Story("mends it by paying", (When(100, 300, Person.card_goes_bad), When(368, 373, Person.pays_the_invoice))),
    Story("leaves in grace", (When(100, 300, Person.card_goes_bad), When(368, 373, Person.cancels))),
    Story("must confirm each payment", (When(367, 370, Person.pays_the_invoice),), card=CONFIRMED),
    # another plan
    Story("upgrades", (When(5, 330, Person.upgrades),), plan="bronze-year"),
    Story("downgrades", (When(5, 330, Person.plans_less),), plan="gold-year"),
    Story(
        "upgrades, then plans less",
        (When(5, 150, Person.upgrades), When(170, 330, Person.plans_less)),
        plan="silver-year",
    ),
    Story(
        "keeps the plan", (When(5, 150, Person.plans_less), When(170, 330, Person.keeps_the_plan)), plan="silver-year"
    ),
    Story(
        "upgrades with the second card",
        (
            When(50, 100, Person.card_goes_bad),
            When(110, 115, Person.upgrades),
            When(116, 118, Person.gives_another_card),
            When(119, 125, Person.upgrades),
        ),
        plan="bronze-year",
        first=Person.joins_at_the_second_try,
    ),
    # money that goes back
    Story("takes it back", (When(2, 12, Person.takes_it_back),)),
    Story("takes it back, joins later", (When(2, 12, Person.takes_it_back), When(60, 90, Person.joins))),
    Story(
        "upgrades, takes it back", (When(1, 4, Person.upgrades), When(5, 12, Person.takes_it_back)), plan="silver-year"
    ),
    Story("is given all back", (When(20, 300, Person.is_given_all_back),)),
    Story("is given a part back", (When(20, 300, Person.is_given_a_part_back),)),
    Story(
        "hesitates, gets goodwill",
        (When(3, 5, Person.joins), When(20, 300, Person.gets_goodwill)),
        first=Person.looks_and_leaves,
    ),
    Story("gets goodwill, leaves", (When(20, 300, Person.gets_goodwill_and_leaves),)),
    Story("refund comes back", (When(20, 200, Person.gets_goodwill),), card=REFUND_FAILS),
    Story("refund takes a while", (When(20, 200, Person.gets_goodwill),), card=REFUND_PENDING),
    # money that is contested: each payment with such a card is
    Story(
        "disputes and loses",
        (When(2, 5, Person.dispute_is_lost), When(40, 60, Person.joins_with_a_good_card)),
        card=FRAUD,
    ),
    Story(
        "disputes in vain",
        (When(2, 5, Person.dispute_is_won), When(368, 371, Person.dispute_is_won)),
        card=NOT_RECEIVED,
    ),
    Story("disputes, nobody answers", card=FRAUD),
    Story("asks the bank", (When(2, 5, Person.dispute_is_won),), card=INQUIRY),
    # at staff's desk
    Story(
        "is suspended for a while, gets free days",
        (
            When(50, 100, Person.is_suspended),
            When(110, 160, Person.suspension_is_lifted),
            When(170, 300, Person.gets_free_days),
        ),
    ),
    Story("pays at the counter", first=Person.joins_at_the_counter),
)


def cast(*, members: int, seed: int, only: Sequence[str] = ()) -> Iterator[tuple[Person, Story]]:
    """So many people, each with a story: every story once, then mostly such as stay. `only`: these stories alone."""
    told = [story for story in STORIES if not only or story.name in only]
    for number in range(members):
        dice = random.Random(f"{seed}:{number}")  # noqa: S311 (a seed is the point)
        story = told[number % len(told)] if only or number < len(told) else _another(dice)
        yield Person(number, dice, plan=story.plan or dice.choice(PLANS), card=story.card), story


def _another(dice: random.Random) -> Story:
    return STAYS if dice.random() < STAYERS else dice.choice(STORIES)


def life(person: Person, story: Story, *, number: int, start: datetime, days: int) -> Iterator[Act]:
    """What they do when: they join as long before the end as their story lasts, if it fits."""
    dice = person.dice
    joined = start + timedelta(days=dice.uniform(0, max(days - story.lasts, 1)))
    shopping = (when for when in SHOPPING if when.before <= story.lasts)
    for when in (When(0, 0, story.first), *story.acts, *shopping):
        at = joined + timedelta(days=dice.uniform(when.after, when.before))
        yield Act(at, number, when.does.__name__.replace("_", " "), lambda does=when.does: does(person))  # type: ignore[misc]
