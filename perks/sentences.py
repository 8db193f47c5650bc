"""One sentence for the shopper per reason. Reasons are stable for ever; sentences may change and are translated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from membership import money

if TYPE_CHECKING:
    from datetime import datetime

GRANTED = "granted"

REFUSALS = {
    "not_a_member": _("There is no membership yet. Join, and this perk is yours."),
    "unknown_member": _("We do not know this member number."),
    "membership_lapsed": _("The membership has run out. Renew it, and this perk is back."),
    "membership_pending": _("The membership begins as soon as its first payment has arrived."),
    "membership_paused": _("The membership is paused."),
    "membership_suspended": _("The membership is on hold. Please contact us."),
    "membership_ended": _("The membership has ended."),
    "payment_overdue": _("The renewal could not be paid yet. Once it is, this perk is back."),
    "not_in_tier": _("This perk is not part of the member's tier."),
    "used_up": _("This perk has been used up for now."),
    "below_minimum": _("This perk begins at a basket of %(minimum)s."),
    "country_excluded": _("This perk does not cover delivery to %(country)s."),
    "method_excluded": _("This perk does not cover %(method)s delivery."),
    "item_excluded": _("This perk does not cover the items in this basket."),
    "nothing_eligible": _("There is nothing in this basket that the perk could apply to."),
    "not_open_yet": _("This opens for the member on %(opens_at)s."),
    "closed": _("This is over."),
    "outside_window": _("This perk cannot be used today."),
    "birthday_unknown": _("This perk comes once the member has told us their birthday."),
    "full": _("No place is left."),
    "not_stackable": _("This perk cannot be combined with another discount in this basket."),
    "currency_mismatch": _("This perk does not work in %(currency)s."),
    "unknown_perk": _("There is no such perk."),
    "email_unconfirmed": _("If this address belongs to a member, a code mailed to it opens their perks here."),
}


def refusal(reason: str, details: dict[str, Any], zone: str) -> str:
    """The sentence for a no; moments in it are told in the member's zone."""
    text = str(REFUSALS[reason])
    if not details:
        return text
    filled = dict(details)
    if "minimum" in filled:
        filled["minimum"] = money.text(filled["minimum"], filled["currency"], translation.get_language() or "en")
    if "opens_at" in filled:
        filled["opens_at"] = moment(filled["opens_at"], zone)
    return text % filled


def moment(at: datetime, zone: str) -> str:
    """21 November 2026, 12:00: the local time of the member."""
    language = translation.get_language() or "en"
    return date_format(localtime(at, ZoneInfo(zone)), "j. F Y, H:i" if language.startswith("de") else "j F Y, H:i")
