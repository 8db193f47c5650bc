"""Concierge: the right to ask a person. It changes no price; requests are booked against its allowance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field

from perks.kinds.base import Effect, KindSettings, Question, Refusal
from perks.shown import Better, Shown

if TYPE_CHECKING:
    from perks.allowances import Allowance

CODE = "concierge"
LABEL = gettext_lazy("Concierge")


class Settings(KindSettings):
    """`channels` a request may come through; `first_answer_hours` are working hours."""

    channels: Annotated[
        tuple[Literal["chat", "mail", "phone"], ...],
        Shown(
            gettext_lazy("Channels"),
            better=Better.WIDER,
            choices={"chat": gettext_lazy("Chat"), "mail": gettext_lazy("Mail"), "phone": gettext_lazy("Phone")},
        ),
    ] = Field(default=("mail",), min_length=1)
    first_answer_hours: Annotated[
        int,
        Shown(gettext_lazy("Hours to the first answer"), gettext_lazy("Working hours."), Better.LESS),
    ] = Field(default=8, ge=1, le=400)


def refuse(settings: Settings, question: Question) -> Refusal | None:
    return None


def effect(settings: Settings, question: Question) -> Effect:
    return Effect("service")


def _answered(settings: Settings) -> str:
    return ngettext(
        "first answer within %(hours)s working hour",
        "first answer within %(hours)s working hours",
        settings.first_answer_hours,
    ) % {"hours": settings.first_answer_hours}


def sentence(settings: Settings, question: Question) -> str:
    return _("Your concierge is ready: %(answer)s.") % {"answer": _answered(settings)}


def words(settings: Settings) -> str:
    if settings.allowance is None:
        return _("A personal concierge, %(answer)s") % {"answer": _answered(settings)}
    return _("A personal concierge: %(requests)s, %(answer)s") % {
        "requests": _requests(settings.allowance),
        "answer": _answered(settings),
    }


def _requests(allowance: Allowance) -> str:
    """A term may be a month or a year, and the words are those of the perk: they name neither."""
    match allowance.every:
        case "month":
            text = ngettext("%(uses)s request a month", "%(uses)s requests a month", allowance.uses)
        case "quarter":
            text = ngettext("%(uses)s request a quarter", "%(uses)s requests a quarter", allowance.uses)
        case "year":
            text = ngettext("%(uses)s request a calendar year", "%(uses)s requests a calendar year", allowance.uses)
        case "term":
            text = ngettext(
                "%(uses)s request in each membership period",
                "%(uses)s requests in each membership period",
                allowance.uses,
            )
    return text % {"uses": allowance.uses}
