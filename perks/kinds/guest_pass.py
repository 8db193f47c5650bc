"""Guest pass: the member brings guests to what is otherwise for members. A pass is used once."""

from __future__ import annotations

from typing import Annotated

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field

from perks import allowances
from perks.allowances import Allowance
from perks.kinds.base import Effect, KindSettings, Names, Question, Refusal, localized
from perks.shown import Better, Shown

CODE = "guest_pass"
LABEL = gettext_lazy("Guest pass")


class Settings(KindSettings):
    """`opens` says to what: "Members' lounge". `guests`: how many may come in on one pass."""

    opens: Annotated[
        Names, Shown(gettext_lazy("What it opens"), gettext_lazy("As members read it: “Members’ lounge”."))
    ]
    guests: Annotated[int, Shown(gettext_lazy("Guests on one pass"), better=Better.MORE)] = Field(
        default=1, ge=1, le=20
    )
    allowance: Annotated[Allowance, Shown(gettext_lazy("How many passes"), better=Better.OWN)]


def refuse(settings: Settings, question: Question) -> Refusal | None:
    return None


def effect(settings: Settings, question: Question) -> Effect:
    return Effect("service")


def sentence(settings: Settings, question: Question) -> str:
    filled = {"guests": settings.guests, "what": localized(settings.opens)}
    return ngettext("%(what)s: bring a guest.", "%(what)s: bring up to %(guests)s guests.", settings.guests) % filled


def words(settings: Settings) -> str:
    filled = {"guests": settings.guests, "what": localized(settings.opens)}
    passes = ngettext("A guest pass: %(what)s", "A pass for %(guests)s guests: %(what)s", settings.guests) % filled
    return _("%(service)s, %(often)s") % {"service": passes, "often": allowances.words(settings.allowance)}
