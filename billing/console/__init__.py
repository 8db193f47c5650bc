"""The staff's pages of billing: acts on a membership, refunds, facts in money, and how its entries read."""

from billing.console import (
    acts,
    approving,
    declaring,
    finding,
    money_reports,
    panels,
    planning,
    queues,
    reading_again,
    refunding,
    stories,
    terms,
    waiting,
)

__all__ = [
    "acts",
    "approving",
    "declaring",
    "finding",
    "money_reports",
    "panels",
    "planning",
    "queues",
    "reading_again",
    "refunding",
    "stories",
    "terms",
    "waiting",
]
