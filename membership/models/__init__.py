"""The ground floor's records, a module a subject."""

from membership.models.cards import Card, CardKey
from membership.models.memberships import (
    OPEN,
    Membership,
    Pause,
    Status,
    Stop,
    Term,
    TierChange,
    Transition,
)
from membership.models.messages import IncomingMail, Message
from membership.models.people import Consent, HouseholdSeat, Member, User
from membership.models.plans import Plan, Price, Tier
from membership.models.records import AuditEntry, AuditSeal, Note, SearchKey, TimelineEntry
from membership.models.staff import Staff
from membership.models.work import RateCount, Setback, Tick, Work

__all__ = [
    "OPEN",
    "AuditEntry",
    "AuditSeal",
    "Card",
    "CardKey",
    "Consent",
    "HouseholdSeat",
    "IncomingMail",
    "Member",
    "Membership",
    "Message",
    "Note",
    "Pause",
    "Plan",
    "Price",
    "RateCount",
    "SearchKey",
    "Setback",
    "Staff",
    "Status",
    "Stop",
    "Term",
    "Tick",
    "Tier",
    "TierChange",
    "TimelineEntry",
    "Transition",
    "User",
    "Work",
]
