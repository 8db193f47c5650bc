"""What must be true of a person, judged from Stripe's objects alone.

Imports nothing of the product: its rules (docs/, design of billing) are written here a second time, by other means.
Moments are aware UTC datetimes, amounts minor units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

LIVE = {"active", "trialing", "past_due", "unpaid", "incomplete", "paused"}


@dataclass(frozen=True)
class Span:
    """One term: what it is for and from when to when, half open."""

    source: str
    price: str
    starts_at: datetime
    ends_at: datetime


@dataclass
class Stay:
    """What one subscription makes of a membership."""

    subscription: str
    terms: list[Span] = field(default_factory=list)
    renews: bool = False
    cut_at: datetime | None = None  # a whole year's payment was given back, or a dispute lost: it ended then and there
    contested: bool = False
    stops: list[tuple[datetime, datetime]] = field(default_factory=list)  # disputes that are over: opened, closed
    entitled_until: datetime | None = None
    upgrades: list[tuple[datetime, str]] = field(default_factory=list)

    def price_held(self, now: datetime) -> str:
        """The price of the term that counts, or of the last change inside it that was paid for."""
        term = [t for t in self.terms if t.starts_at <= now][-1]
        inside = [price for at, price in self.upgrades if term.starts_at <= at <= now]
        return inside[-1] if inside else term.price

    def standing(self, now: datetime, *, zone: str, grace_days: int, hears: Callable[[datetime], datetime]) -> str:
        """pending while nothing was ever paid; ended if it was cut; else current, grace or lapsed.

        Grace stands still under a stop. `hears`: when the end of one that was closed at a moment is known.
        """
        if self.entitled_until is None:
            return "pending"
        if self.cut_at is not None:
            return "ended"
        if self.contested:
            return "suspended"
        if now < self.entitled_until:
            return "current"
        last_day_of_grace = self.entitled_until.astimezone(ZoneInfo(zone)).date() + timedelta(days=grace_days)
        until, counted = _start_of(last_day_of_grace, zone), self.entitled_until
        for opened, closed in self.stops:
            held, lifted = max(opened, counted), hears(closed)
            if held < until and held < lifted:
                until, counted = _midnight_from(until + (lifted - held), zone), lifted
        return "grace" if self.renews and now < until else "lapsed"


def stays(ledger: dict[str, Any], *, zone: str) -> list[Stay]:
    """The memberships of this person, oldest first."""
    made = []
    for one in reversed(ledger["subscriptions"]):  # Stripe lists the newest first
        invoices = [i for i in ledger["invoices"] if _subscription_of(i) == one["id"]]
        stay = Stay(one["id"], _terms(one, invoices))
        scheduled = one["cancel_at_period_end"] or one["cancel_at"] is not None
        stay.renews = one["status"] in LIVE and not scheduled
        stay.upgrades = _upgrades(invoices)
        runs_until = _midnight_after(stay.terms[-1].ends_at, zone) if stay.terms else None
        _contested(stay, invoices, ledger, ran_out=_ran_out(one, runs_until) if not stay.renews else None)
        if stay.terms:
            stay.entitled_until = stay.cut_at or runs_until
        made.append(stay)
    return made


def _ran_out(subscription: dict[str, Any], runs_until: datetime | None) -> datetime | None:
    """When a stay that nothing renews was over: with its last day, or when it was canceled after that."""
    return runs_until and max(runs_until, _moment(subscription["canceled_at"] or 0))


def _upgrades(invoices: list[dict[str, Any]]) -> list[tuple[datetime, str]]:
    """Each change of price that was invoiced at once and paid: when, and to which price."""
    changes = [i for i in invoices if i["status"] == "paid" and i["billing_reason"] == "subscription_update"]
    made = []
    for invoice in reversed(changes):  # Stripe lists the newest first, of two in one second too
        into = [line for line in invoice["lines"]["data"] if line["amount"] > 0]
        made += [(_moment(line["period"]["start"]), line["pricing"]["price_details"]["price"]) for line in into]
    return made


def _contested(stay: Stay, invoices: list[dict[str, Any]], ledger: dict[str, Any], *, ran_out: datetime | None) -> None:
    """What became of the charges it was paid by. Any that is contested before the stay is over holds it, an upgrade's
    too; one that paid for time and was undone while that time ran ends it.
    """
    ends = []
    for invoice in invoices:
        bought = [line["period"]["end"] for line in invoice["lines"]["data"] if _buys_time(line)]
        intents = {_intent(payment) for payment in invoice["payments"]["data"]}
        for charge in ledger["charges"]:
            if charge["paid"] and charge["payment_intent"] in intents:
                ends += [moment for moment in _undone(charge, ledger) if moment < max(bought, default=0)]
                open_ones = _disputes(charge, ledger, "needs_response", "under_review")
                stay.contested |= any(ran_out is None or _moment(d["created"]) < ran_out for d in open_ones)
                over = _disputes(charge, ledger, "won", "lost")
                stay.stops += [(_moment(d["created"]), _moment(ledger["closed"][d["id"]])) for d in over]
    stay.stops.sort()
    if ends:
        stay.cut_at, stay.renews = _moment(min(ends)), False


def _undone(charge: dict[str, Any], ledger: dict[str, Any]) -> list[int]:
    """The moments at which all of a charge's money was gone: given back in full, or a dispute lost."""
    moments = [ledger["closed"][dispute["id"]] for dispute in _disputes(charge, ledger, "lost")]
    if charge["amount_refunded"] == charge["amount"]:
        moments.append(max(r["created"] for r in ledger["refunds"] if r["charge"] == charge["id"]))
    return moments


def _disputes(charge: dict[str, Any], ledger: dict[str, Any], *status: str) -> list[dict[str, Any]]:
    return [d for d in ledger["disputes"] if d["charge"] == charge["id"] and d["status"] in status]


def _intent(payment: dict[str, Any]) -> str:
    return str(payment["payment"]["payment_intent"])


def given_back(ledger: dict[str, Any]) -> int:
    return sum(charge["amount_refunded"] for charge in ledger["charges"])


def paid_invoices(ledger: dict[str, Any]) -> dict[str, int]:
    """Invoice id -> what was paid for it."""
    return {i["id"]: i["amount_paid"] for i in ledger["invoices"] if i["status"] == "paid"}


def _terms(subscription: dict[str, Any], invoices: list[dict[str, Any]]) -> list[Span]:
    lines = [line for i in invoices if i["status"] == "paid" for line in i["lines"]["data"] if _buys_time(line)]
    lines.sort(key=lambda line: line["period"]["start"])
    terms, anchor = [], None
    if subscription["trial_start"] and subscription["trial_end"]:
        price = subscription["items"]["data"][0]["price"]["id"]
        trial = Span("trial", price, _moment(subscription["trial_start"]), _moment(subscription["trial_end"]))
        terms.append(trial)
        anchor = trial.ends_at
    for ordinal, line in enumerate(lines, 1):
        anchor = anchor or _moment(line["period"]["start"])
        starts_at = terms[-1].ends_at if terms else anchor
        price = line["pricing"]["price_details"]["price"]
        terms.append(Span("paid", price, starts_at, anchor + relativedelta(years=ordinal)))
    return terms


def _buys_time(line: dict[str, Any]) -> bool:
    details = (line.get("parent") or {}).get("subscription_item_details")
    return bool(details) and not details["proration"] and line["subtotal"] > 0


def _subscription_of(invoice: dict[str, Any]) -> str:
    return str(((invoice.get("parent") or {}).get("subscription_details") or {}).get("subscription") or "")


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _midnight_after(moment: datetime, zone: str) -> datetime:
    return _start_of(moment.astimezone(ZoneInfo(zone)).date() + timedelta(days=1), zone)


def _midnight_from(moment: datetime, zone: str) -> datetime:
    """The first local midnight at this moment or after it."""
    today = _start_of(moment.astimezone(ZoneInfo(zone)).date(), zone)
    return today if today == moment else _midnight_after(moment, zone)


def _start_of(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)
