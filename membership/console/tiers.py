"""What a tier says of itself on the plans page, in every language: previewed, then said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership import clock, tier_texts
from membership.console import steps
from membership.console.access import act, staff_of
from membership.models import Tier
from membership.roles import Permission

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class LinesForm(forms.Form):
    """A line in every language of the house: all, or none at all."""

    def __init__(self, *args: Any, tier: Tier, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(
            label=_("Name"),
            help_text=_("On pages, cards, letters and new invoices, the same in every language."),
            initial=tier.name,
            max_length=60,
        )
        for code, language in settings.LANGUAGES:
            self.fields[f"line_{code}"] = forms.CharField(
                label=_("Line (%(language)s)") % {"language": language},
                initial=tier.lines.get(code),
                max_length=120,
                required=False,
            )
        self.fields["reason"] = forms.CharField(
            label=_("Reason"),
            help_text=_("It is kept with the change."),
            max_length=200,
            widget=forms.Textarea({"rows": 2}),
        )

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        missing = [code for code, _name in settings.LANGUAGES if not told.get(f"line_{code}")]
        if 0 < len(missing) < len(settings.LANGUAGES):
            self.add_error(f"line_{missing[0]}", _("Members read it in this language, too."))
        return told

    @property
    def lines(self) -> dict[str, str]:
        given = {code: self.cleaned_data[f"line_{code}"] for code, _name in settings.LANGUAGES}
        return {code: line for code, line in given.items() if line}


@act(Permission.OFFER)
def lines(request: HttpRequest, code: str) -> HttpResponse:
    tier, staff = Tier.objects.filter(code=code).first(), staff_of(request)
    if tier is None:
        raise Http404
    form = LinesForm(request.POST if request.method == "POST" else None, tier=tier)

    def preview(asked: dict[str, Any]) -> list[str]:
        tier_texts.check(tier, asked["name"], form.lines)
        return [
            *_called(tier, asked["name"]),
            *(_told(code, str(name), tier, form.lines) for code, name in settings.LANGUAGES),
        ]

    def do(asked: dict[str, Any]) -> None:
        tier_texts.change(tier=tier, name=asked["name"], lines=form.lines, at=clock.now(), actor=staff.actor)

    step = steps.Step(
        title=gettext("What %(tier)s says of itself") % {"tier": tier.name},
        about=_("Its name, and one line under it on the plans page. Its perks are told below that."),
        button=_("Say it so"),
        done=_("The plans page says it from now on."),
        back=reverse("console-catalogue"),
        back_words=gettext("Catalogue"),
        preview=preview,
        do=do,
    )
    return steps.take(request, step, form, staff=staff)


def _called(tier: Tier, name: str) -> list[str]:
    if name == tier.name:
        return []
    facts = {"is": name, "was": tier.name}
    return [gettext("“%(was)s” is called “%(is)s” everywhere from now on. What was sent or printed stays.") % facts]


def _told(code: str, language: str, tier: Tier, lines: dict[str, str]) -> str:
    facts = {"language": language, "is": lines.get(code), "was": tier.lines.get(code)}
    if not facts["is"]:
        return gettext("The plans page says nothing under the name (%(language)s); until now “%(was)s”.") % facts
    if facts["was"] and facts["was"] != facts["is"]:
        return gettext("The plans page says (%(language)s): “%(is)s”; until now “%(was)s”.") % facts
    return gettext("The plans page says (%(language)s): “%(is)s”.") % facts
