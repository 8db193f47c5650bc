"""What the hosted pages say, in the reader's language: prices, renewals, refusals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.emulator import clock, money, periods, store, subscriptions

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.quote import Quote


def declined(decline: str) -> str:
    """Why nothing was charged, and what to do."""
    if decline == "price_changed":
        return _("The price has changed since you opened this page. Nothing was charged. Please look at it again.")
    reasons = {
        "insufficient_funds": _("The card has too little money on it."),
        "expired_card": _("The card has expired."),
        "incorrect_cvc": _("The security code is not right."),
        "processing_error": _("The bank could not work on it just now. Try again in a little while."),
        "authentication_failed": _("Your bank could not confirm that it is you."),
    }
    reason = reasons.get(decline, _("The bank declined the card."))
    return _("%(reason)s Nothing was charged. You can try again or use another card.") % {"reason": reason}


def code_refused(reason: str) -> str:
    """Why a promotion code cannot be used."""
    return {
        "expired": _("This code has expired."),
        "used_up": _("This code has been used up."),
        "inactive": _("This code is no longer valid."),
        "first_time": _("This code is for first purchases only."),
        "minimum": _("This code needs a larger purchase."),
        "currency": _("This code is for another currency."),
        "customer": _("This code belongs to another customer."),
    }.get(reason, _("We do not know this code."))


def interval(recurring: dict[str, Any]) -> str:
    count = recurring["interval_count"]
    return {
        "year": ngettext("every year", "every %(n)d years", count),
        "month": ngettext("every month", "every %(n)d months", count),
        "week": ngettext("every week", "every %(n)d weeks", count),
        "day": ngettext("every day", "every %(n)d days", count),
    }[recurring["interval"]] % {"n": count}


def date(moment: int) -> str:
    # Translators: how a date is written, see Django's date format characters.
    return formats.date_format(datetime.fromtimestamp(moment, UTC), _("j F Y"))


def period(start: int, end: int) -> str:
    return _("%(start)s to %(end)s") % {"start": date(start), "end": date(end)}


def year(moment: int) -> str:
    """The last two digits, as on a card."""
    return f"{datetime.fromtimestamp(moment, UTC):%y}"


def renewal(session: Record, due: Quote) -> str:
    """When the next payment comes and how much it is; "" for what is bought once."""
    if session.data["mode"] != "subscription":
        return ""
    price, currency = due.lines[0].price, session.data["currency"]
    full = sum(line.price["unit_amount"] * line.item["quantity"] for line in due.lines)
    lasting = due.coupon is not None and due.coupon.data["duration"] == "forever"
    values = {
        "amount": money.localized(due.due if lasting and due.due else full, currency),
        "interval": interval(price["recurring"]),
        "date": date(_next_payment(session, price)),
    }
    return _("Then %(amount)s %(interval)s, for the first time on %(date)s, until you cancel.") % values


def _next_payment(session: Record, price: dict[str, Any]) -> int:
    given, now = session.hidden["subscription_data"], clock.now()
    if days := given.get("trial_period_days"):
        return periods.after(now, "day", days)
    return int(given.get("trial_end") or subscriptions.period_end(price, now))


def pay_button(session: Record, due: Quote) -> str:
    """What will happen when it is pressed, with the amount."""
    amount = money.localized(due.due, session.data["currency"])
    if session.data["mode"] != "subscription":
        return _("Pay %(amount)s") % {"amount": amount}
    if due.due == 0:
        return _("Subscribe and pay nothing today")
    return _("Pay %(amount)s and subscribe") % {"amount": amount}


def test_codes() -> list[str]:
    """Promotion codes that can be typed now, the newest first."""
    codes = store.of("promotion_code", data__active=True).order_by("-id")[:3]
    return [code.data["code"] for code in codes]


def test_cards() -> list[tuple[str, str]]:
    """The cards offered by the helper: number and what it shows."""
    return [
        ("4242 4242 4242 4242", _("pays")),
        ("4000 0025 0000 3155", _("asks for confirmation (3DS)")),
        ("4000 0000 0000 0002", _("is declined")),
        ("4000 0000 0000 9995", _("has too little money")),
        ("4000 0082 6000 3178", _("asks for confirmation, then is declined")),
    ]
