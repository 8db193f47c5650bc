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


def card_refused(decline: str) -> str:
    """Why a card was not kept; nothing was to be charged."""
    if decline == "authentication_failed":
        return _("Your bank could not confirm that it is you. The card was not changed.")
    return _("The bank declined the card. It was not changed; you can try another one.")


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


def moment(seconds: int) -> str:
    """To the minute, e.g. 2 March 2026, 10:00 UTC."""
    time = f"{datetime.fromtimestamp(seconds, UTC):%H:%M}"
    return _("%(date)s, %(time)s UTC") % {"date": date(seconds), "time": time}


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


def price(item: dict[str, Any]) -> str:
    """What a subscription's item costs, e.g. € 119.00 every year."""
    one = item["price"]
    amount = money.localized((one["unit_amount"] or 0) * (item["quantity"] or 1), one["currency"])
    return f"{amount} {interval(one['recurring'])}"


def standing(subscription: Record) -> str:
    """How a subscription stands and what comes next, in a sentence."""
    data, end = subscription.data, subscriptions.items_of(subscription)[0]["current_period_end"]
    if data["cancel_at"]:
        return _("Ends on %(date)s. Nothing more will be charged.") % {"date": date(data["cancel_at"])}
    if data["status"] == "trialing":
        return _("Free until %(date)s, then it renews.") % {"date": date(end)}
    if data["status"] == "active" and data["pause_collection"]:
        return _("Payments are paused.")
    if data["status"] == "active":
        return _("Renews on %(date)s.") % {"date": date(end)}
    return _("The last payment did not go through.")


def cancel_means(subscription: Record, *, now: bool) -> str:
    """What will happen when it is canceled."""
    if now:
        return _("It ends at once, and nothing more will be charged.")
    end = subscriptions.items_of(subscription)[0]["current_period_end"]
    text = _("It stays until %(date)s. After that it ends, and nothing more will be charged.")
    return text % {"date": date(end)}


def cancel_reasons(options: list[str]) -> list[tuple[str, str]]:
    """The reasons offered when canceling: value and label."""
    labels = {
        "customer_service": _("Customer service was less than expected"),
        "low_quality": _("Quality was less than expected"),
        "missing_features": _("Something is missing"),
        "other": _("Another reason"),
        "switched_service": _("I found something else"),
        "too_complex": _("It is too complicated"),
        "too_expensive": _("It is too expensive"),
        "unused": _("I do not use it enough"),
    }
    return [(option, str(labels[option])) for option in options if option in labels]


def portal_done(what: str) -> str:
    """What has just been done in the portal."""
    done = {
        "card": _("The card was changed. Later payments will be taken from it."),
        "cancel": _("It is canceled."),
        "resume": _("It goes on as before."),
    }
    return str(done.get(what, ""))


def helper_cards(*, later: bool = False) -> list[tuple[str, str]]:
    """The cards offered by the helper: number and what it shows. `later`: when nothing is charged now."""
    if later:
        return [
            ("5555 5555 5555 4444", _("pays")),
            ("4000 0025 0000 3155", _("asks for confirmation (3DS)")),
            ("4000 0027 6000 3184", _("asks for confirmation at every payment")),
            ("4000 0000 0000 0341", _("is taken, but no payment will go through")),
            ("4000 0000 0000 0002", _("is declined")),
        ]
    return [
        ("4242 4242 4242 4242", _("pays")),
        ("4000 0025 0000 3155", _("asks for confirmation (3DS)")),
        ("4000 0000 0000 0002", _("is declined")),
        ("4000 0000 0000 9995", _("has too little money")),
        ("4000 0082 6000 3178", _("asks for confirmation, then is declined")),
        ("4000 0000 0000 0259", _("pays, and is disputed right after")),
    ]
