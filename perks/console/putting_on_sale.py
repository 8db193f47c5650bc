"""Publishing a draft: read what will happen, say why, confirm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership import clock, stories
from membership.console import steps
from membership.console.access import act, staff_of
from membership.roles import Permission
from membership.templatetags import vip
from perks import drafts, previews, publishing
from perks.console.catalogue import perk_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from perks.models import Perk


class PublishForm(forms.Form):
    """`now_for`: tiers whose members need not wait for their renewal; offered where that takes nothing from anybody."""

    now_for = forms.MultipleChoiceField(
        label=_("Give it now, without waiting for the renewal"), required=False, widget=forms.CheckboxSelectMultiple
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("It is kept with the change."),
        max_length=200,
        widget=forms.Textarea({"rows": 2}),
    )

    def __init__(self, *args: Any, preview: previews.Preview, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["now_for"]
        field.choices = [(one.tier.code, _to_whom(one)) for one in preview.giveable]
        if not field.choices:
            del self.fields["now_for"]


def _to_whom(change: previews.TierChange) -> str:
    return gettext("%(tier)s: %(number)s memberships") % {"tier": change.tier.name, "number": change.reach.gain}


@act(Permission.OFFER)
def publish(request: HttpRequest, code: str) -> HttpResponse:
    found, at, staff = perk_of(code), clock.now(), staff_of(request)
    draft = drafts.current(found)
    if draft is None:
        return redirect("console-perk", code=code)
    preview = previews.of(perk=found, draft=draft, at=at)
    form = PublishForm(request.POST if request.method == "POST" else None, preview=preview)

    def do(asked: dict[str, Any]) -> str:
        publishing.publish(perk=found, number=draft.number, now_for=asked.get("now_for", []), at=at, actor=staff.actor)
        return gettext("Published. Checkouts know it within a second.")

    return steps.take(request, _step(found, preview, do=do, asked=form.is_bound), form, staff=staff)


def _step(found: Perk, preview: previews.Preview, *, do: Any, asked: bool) -> steps.Step:
    draft = preview.draft
    who = stories.names_of([draft.author]).get(draft.author, "")
    facts = {"number": draft.number, "who": who, "when": vip.moment(draft.saved_at)}
    saved = gettext("Draft %(number)s, saved by %(who)s on %(when)s.") % facts
    stale = "" if asked or not preview.stale else gettext(str(drafts.Overtaken.message))
    return steps.Step(
        title=gettext("Publish “%(perk)s”") % {"perk": found.name},
        about=_("Who joins or renews from now on gets it as drafted. What was sold stays as it was sold."),
        button=_("Publish it"),
        done=_("Published."),
        back=reverse("console-perk", args=[found.code]),
        back_words=found.name,
        preview=lambda told: [saved, *preview.lines(told.get("now_for", []))],
        do=do,
        problem=stale,
        facts=[saved, *preview.lines()] if not asked else [],
    )
