"""manage.py refund: staff's door to refunds, until the console has a page for it. Without --yes it shows the quote.

manage.py refund 4821007399 --basis cooling_off
manage.py refund 4821007399 --basis house --yes --actor staff:3
manage.py refund 4821007399 --basis goodwill --amount 20.00 --reason "late parcel" --yes --actor staff:3
manage.py refund 4821007399 --basis goodwill --amount 80 --reason "…" --approved-by staff:4 --yes --actor staff:3
manage.py refund 4821007399 --basis goodwill --amount 20 --reason "…" --end-on 2026-06-30 --yes --actor staff:3
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from billing import approvals, gateway, refund_quotes, refunds
from billing.models import Refund
from billing.refund_policy import Basis, Quote
from membership import calendar, clock, money
from membership.errors import DomainError
from membership.management import membership_by_number
from membership.models import Membership

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from datetime import datetime

Effect = Refund.Effect
WORDS = {
    "paid": "paid",
    "returned": "given back before",
    "disputed": "contested at the bank",
    "days_used": "{used} of {days} days have begun",
    "no_more_than_left": "given back or contested before",
    "perks": "worth of perks used",
    "goodwill": "goodwill",
    "total": "given back now",
}


class Command(BaseCommand):
    help = "Show what one member would get back, and with --yes give it back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", help="the member's number")
        parser.add_argument("--basis", choices=[basis.value for basis in Basis], required=True)
        parser.add_argument("--amount", help="for goodwill: in units of the currency, such as 20.00")
        parser.add_argument("--reason", default="", help="for goodwill: kept with the refund")
        parser.add_argument("--approved-by", default="", help="for goodwill above the limit: the second person")
        parser.add_argument("--actor", default="staff:console", help="who does it, for the audit")
        ends = parser.add_mutually_exclusive_group()
        ends.add_argument("--end-now", action="store_true", help="goodwill: end the membership too")
        ends.add_argument("--end-on", type=date.fromisoformat, metavar="DAY", help="goodwill: its last day")
        parser.add_argument("--yes", action="store_true", help="do it; without this it is only shown")

    def handle(self, *, number: str, **options: Any) -> None:
        membership, at = membership_by_number.find(number), clock.now()
        try:
            with gateway.patient():
                self._act(membership, options, at)
        except DomainError as refusal:
            raise CommandError(f"{refusal} ({refusal.code})") from None

    def _act(self, membership: Membership, options: dict[str, Any], at: datetime) -> None:
        amount = _minor(options["amount"], membership.currency)
        quote = refund_quotes.quote(membership=membership, basis=Basis(options["basis"]), amount=amount, at=at)
        effect, ends_at = _effect(quote, membership, options)
        self.stdout.write("\n".join(_shown(quote, effect, ends_at)))
        if not options["yes"]:
            self.stdout.write("Nothing is done yet. Say --yes to do it.")
            return
        if (
            options["approved_by"]
            and approvals.second_person(options["approved_by"]).user_id == membership.member.user_id
        ):
            raise approvals.NotASecondPerson
        decision = refunds.ask(
            membership=membership,
            quote=quote,
            effect=effect,
            ends_at=ends_at,
            reason=options["reason"],
            actor=options["actor"],
            approved_by=options["approved_by"],
            once=_once(membership, quote, effect, ends_at, options, at),
            at=at,
        )
        for row in Refund.objects.filter(decision=decision):
            self.stdout.write(f"refund {row.pk}: {row.state} {row.said}".rstrip())


def _minor(typed: str | None, currency: str) -> int | None:
    if typed is None:
        return None
    try:
        exact = Decimal(typed) * 10 ** money.decimals(currency)
    except InvalidOperation:
        raise CommandError("--amount is a number, such as 20.00.") from None
    if exact != exact.to_integral_value():
        raise CommandError(f"--amount has more digits than {currency} has.")
    return int(exact)


def _effect(quote: Quote, membership: Membership, options: dict[str, Any]) -> tuple[str, datetime | None]:
    """The law's right and the house's rule end the membership; goodwill only if it is said."""
    if options["end_on"]:
        return Effect.END_AT, calendar.day_start(options["end_on"] + timedelta(days=1), membership.time_zone)
    ends = quote.basis != Basis.GOODWILL or options["end_now"]
    return (Effect.END_NOW if ends else Effect.MONEY_ONLY), None


def _shown(quote: Quote, effect: str, ends_at: datetime | None) -> list[str]:
    lines = [
        f"{money.text(line.amount, quote.currency, exact=True):>14}  "
        f"{WORDS[line.code].format(used=line.used, days=line.days)}"
        for line in quote.working
    ]
    until = [f"the right lasts through {quote.until}"] if quote.until else []
    after = f"the membership: {effect}" + (f", {ends_at:%Y-%m-%d %H:%M} UTC" if ends_at else "")
    return [*lines, *until, after]


def _once(
    membership: Membership, quote: Quote, effect: str, ends_at: datetime | None, options: dict[str, Any], at: datetime
) -> str:
    """The same refund for the same reason on one day is the same refund: a repeated command gives it once.

    One that ends the membership, or ends it on another day, is another refund.
    """
    told = [membership.pk, quote.basis, effect, ends_at, options["amount"], options["reason"], at.date()]
    return hashlib.sha256("|".join(map(str, told)).encode()).hexdigest()[:24]
