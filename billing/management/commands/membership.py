"""manage.py membership: what staff do to one membership, until the console has pages for it.

manage.py membership show 4821007399
manage.py membership extend 4821007399 30 --reason "late parcel" [--yes]
manage.py membership suspend 4821007399 --reason "asks for proof of address"
manage.py membership lift 4821007399 --reason "proof received"
manage.py membership cancel 4821007399 --reason "asked by letter" [--yes]
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from billing import aligning, extension, gateway, holds, leaving, outlook
from membership import audit, clock, numbers, standing
from membership.errors import DomainError
from membership.management import membership_by_number
from membership.models import Membership, Status

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable
    from datetime import datetime

ACTOR = "staff:console"


class Command(BaseCommand):
    help = "Show, extend, suspend, lift or cancel one membership."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for name, said in VERBS.items():
            verb = verbs.add_parser(name, help=said.__doc__)
            verb.add_argument("number", help="the member's number")
            if name == "extend":
                verb.add_argument("days", type=int, help="how many free days")
            if name != "show":
                verb.add_argument("--reason", required=True, help="kept in the audit")
            if name in {"extend", "cancel"}:
                verb.add_argument("--yes", action="store_true", help="do it; without this it is only shown")
            verb.add_argument("--actor", default=ACTOR, help="who does it, for the audit")

    def handle(self, *, verb: str, number: str, **options: Any) -> None:
        membership = membership_by_number.find(number)
        try:
            with gateway.patient():
                lines = VERBS[verb](membership, clock.now(), options)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write("\n".join(lines))
        membership = Membership.objects.with_facts().get(pk=membership.pk)
        if waiting := aligning.unanswered(membership):
            self.stdout.write(f"Stripe has not confirmed {waiting} change(s) yet; the janitor goes on asking.")


def show(membership: Membership, at: datetime, options: dict[str, Any]) -> list[str]:
    """what it is now"""
    membership = Membership.objects.with_facts().get(pk=membership.pk)
    charge = outlook.charge_at(membership)
    lines = [
        f"{numbers.group(membership.member.number)}  {membership.plan.code}  {standing.at(membership, at).value}",
        f"entitled until  {_date(membership.entitled_until)}",
    ]
    if membership.status != Status.ENDED:
        renewal = f"charged {_date(charge)}" if membership.renewal_expected else "none"
        lines.append(f"next renewal    {renewal}")
    return lines + [f"on hold         by {s.source} since {_date(s.opened_at)}" for s in _stops(membership)]


def _stops(membership: Membership) -> list[Any]:
    return [stop for stop in membership.stops.all() if stop.lifted_at is None]


def extend(membership: Membership, at: datetime, options: dict[str, Any]) -> list[str]:
    """free days, which the next charge waits for"""
    days, reason = options["days"], options["reason"]
    # The same days for the same reason on one day are the same gift, so a repeated command gives them once.
    ref = hashlib.sha256(f"{days}|{reason}|{at.date()}".encode()).hexdigest()[:16]
    if options["yes"]:
        extension.extend(membership=membership, days=days, reason=reason, ref=ref, at=at, actor=options["actor"])
        return [f"Given: {days} days.", *show(membership, at, options)]
    proposal = extension.propose(membership=membership, days=days, at=at)
    extension.ask_stripe(proposal, membership)
    charge = f"{_date(proposal.charged_at)} -> {_date(proposal.ends_at)}" if proposal.moves_charge else "none"
    return [
        f"entitled until  {_date(membership.entitled_until)} -> {_date(proposal.entitled_until)}",
        f"next renewal    {charge}",
        "Nothing is done yet. Say --yes to do it.",
    ]


def suspend(membership: Membership, at: datetime, options: dict[str, Any]) -> list[str]:
    """hold perks and renewal"""
    holds.suspend(membership=membership, reason=options["reason"], at=at, actor=options["actor"])
    return ["On hold.", *show(membership, at, options)]


def lift(membership: Membership, at: datetime, options: dict[str, Any]) -> list[str]:
    """lift staff's own hold; another's stays"""
    lifted = holds.lift(membership=membership, reason=options["reason"], at=at, actor=options["actor"])
    return ["Lifted." if lifted else "Staff do not hold it; nothing was done.", *show(membership, at, options)]


def cancel(membership: Membership, at: datetime, options: dict[str, Any]) -> list[str]:
    """stop the renewal, as the member's own cancel page does"""
    if not options["yes"]:
        ahead = outlook.of(membership.member, at=at)
        return [f"This would cancel: {ahead.kind.value}", *show(membership, at, options), "Say --yes to do it."]
    with audit.because(options["reason"]):
        leaving.cancel(membership=membership, at=at, actor=options["actor"])
    return ["Canceled.", *show(membership, at, options)]


def _date(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "-"


VERBS: dict[str, Callable[[Membership, datetime, dict[str, Any]], list[str]]] = {
    "show": show,
    "extend": extend,
    "suspend": suspend,
    "lift": lift,
    "cancel": cancel,
}
