"""Drafting: staff say what a perk is to be. Nothing that they save here reaches anybody until it is published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages as notes
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership import clock, stories
from membership.console.access import act, staff_of
from membership.errors import DomainError
from membership.models import Price, Tier
from membership.roles import Permission
from membership.templatetags import vip
from perks import drafts, kinds, setting_words
from perks.console.catalogue import perk_of
from perks.kind_forms import KindForm
from perks.models import Perk

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class NamesForm(forms.Form):
    """A perk's name in every language of the house."""

    def __init__(self, *args: Any, names: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, language in settings.LANGUAGES:
            self.fields[f"name_{code}"] = forms.CharField(
                label=_("Name (%(language)s)") % {"language": language},
                initial=(names or {}).get(code),
                max_length=80,
                required=code == "en",
            )

    @property
    def names(self) -> dict[str, str]:
        given = {code: self.cleaned_data[f"name_{code}"] for code, _name in settings.LANGUAGES}
        return {code: name for code, name in given.items() if name}


class NewForm(NamesForm):
    code = forms.RegexField(
        regex=r"^[a-z0-9-]{1,40}$",
        label=_("Code"),
        help_text=_("Small letters, digits and hyphens. Shops name the perk by it; it never changes."),
        error_messages={"invalid": _("Small letters, digits and hyphens only, such as free-shipping.")},
    )
    kind = forms.ChoiceField(label=_("Kind"), help_text=_("What it does at a checkout. It never changes."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = sorted((str(kind.LABEL), code) for code, kind in kinds.ALL.items())
        field: Any = self.fields["kind"]
        field.choices = [(code, label) for label, code in labels]


@act(Permission.OFFER)
def new(request: HttpRequest) -> HttpResponse:
    """A perk that there has not been."""
    form = NewForm(request.POST or None)
    if form.is_valid():
        try:
            begun = drafts.begin(
                code=form.cleaned_data["code"],
                kind=form.cleaned_data["kind"],
                names=form.names,
                at=clock.now(),
                actor=staff_of(request).actor,
            )
        except drafts.CodeTaken as refusal:
            form.add_error("code", gettext(str(refusal)))
        else:
            notes.success(request, gettext("The draft is begun. Now say which tier gets what."))
            return redirect("console-perk", code=begun.perk.code)
    context = {"staff": staff_of(request), "form": form}
    return render(request, "console/perk_new.html", context, status=422 if form.is_bound else 200)


@act(Permission.OFFER)
def tier(request: HttpRequest, code: str, tier: str) -> HttpResponse:
    """What one tier gets: the form made from the perk's kind."""
    found, chosen = perk_of(code), Tier.objects.filter(code=tier).first()
    if chosen is None:
        raise Http404
    drafted = drafts.content(found)["tiers"]
    kept = drafted.get(tier) or next(iter(drafted.values()), None)
    sent = request.POST if request.method == "POST" else None
    form = KindForm(sent, kind=found.kind, sold=kept, currencies=_currencies())
    page = {
        "perk": found,
        "tier": chosen,
        "form": form,
        "carried": tier in drafted,
        "kind": kinds.ALL[found.kind].LABEL,
    }
    if form.is_bound and form.is_valid():
        assert form.checked is not None
        wanted = drafts.as_kept(form.checked, like=kept)
        conflict = _save(request, found, {"tiers": {tier: wanted}})
        if conflict is None:
            return redirect("console-perk", code=code)
        page |= {"conflict": conflict, "theirs": _theirs(found, tier, form)}
    return _form(request, "console/perk_tier.html", page)


@act(Permission.OFFER)
def names(request: HttpRequest, code: str) -> HttpResponse:
    found = perk_of(code)
    form = NamesForm(request.POST if request.method == "POST" else None, names=drafts.content(found)["names"])
    page: dict[str, Any] = {"perk": found, "form": form}
    if form.is_bound and form.is_valid():
        conflict = _save(request, found, {"names": form.names})
        if conflict is None:
            return redirect("console-perk", code=code)
        page["conflict"] = conflict
    return _form(request, "console/perk_names.html", page)


@act(Permission.OFFER)
def put(request: HttpRequest, code: str) -> HttpResponse:
    """By a button: take the perk off a tier or off sale, put it back, throw the draft away."""
    found = perk_of(code)
    if request.method == "POST":
        chosen = request.POST.get("do", "")
        if chosen == "discard":
            return _discard(request, found)
        changes = _changes(chosen, request.POST.get("tier", ""))
        if changes is not None:
            conflict = _save(request, found, changes)
            if conflict is not None:
                notes.error(request, conflict)
    return redirect("console-perk", code=code)


def _changes(chosen: str, tier: str) -> dict[str, Any] | None:
    known: dict[str, dict[str, Any]] = {
        "retire": {"published": False},
        "return": {"published": True},
        "withdraw": {"tiers": {tier: None}},
    }
    return known.get(chosen)


def _discard(request: HttpRequest, found: Perk) -> HttpResponse:
    number = request.POST.get("number", "")
    try:
        drafts.discard(perk=found, number=int(number) if number.isdecimal() else 0, at=clock.now())
    except DomainError as refusal:
        notes.error(request, gettext(str(refusal)))
        return redirect("console-perk", code=found.code)
    notes.success(request, gettext("The draft is thrown away. What is on sale stays as it is."))
    return (
        redirect("console-perk", code=found.code) if Perk.objects.filter(pk=found.pk) else redirect("console-catalogue")
    )


def _save(request: HttpRequest, found: Perk, changes: dict[str, Any]) -> str | None:
    """Save it as a draft. -> why not, in words."""
    staff = staff_of(request)
    try:
        drafts.save(perk=found, changes=changes, saw=request.POST.get("saw", ""), at=clock.now(), actor=staff.actor)
    except drafts.Overtaken:
        return _who_was_first(found)
    except DomainError as refusal:
        return gettext(str(refusal))
    notes.success(request, gettext("Saved as a draft. Nothing has changed for anybody yet."))
    return None


def _who_was_first(found: Perk) -> str:
    newest = drafts.current(found)
    if newest is None:
        return gettext("It was published or thrown away since you opened this. Nothing of yours is lost: save again.")
    who = stories.names_of([newest.author]).get(newest.author, "")
    text = gettext(
        "%(who)s saved a draft on %(when)s, after you opened this. Nothing of yours is lost: save again to put it "
        "in place of theirs."
    )
    return text % {"who": who, "when": vip.moment(newest.saved_at)}


def _theirs(found: Perk, tier: str, form: KindForm) -> list[setting_words.Difference]:
    """What differs between what stands there by now and what was just sent."""
    kept = drafts.content(found)["tiers"].get(tier)
    return setting_words.differences(kinds.check(found.kind, kept) if kept else None, form.checked)


def _form(request: HttpRequest, template: str, page: dict[str, Any]) -> HttpResponse:
    context = {**page, "staff": staff_of(request), "saw": drafts.seen(page["perk"])}
    status = 409 if page.get("conflict") else 422 if page["form"].is_bound else 200
    return render(request, template, context, status=status)


def _currencies() -> list[str]:
    """Those in which anything can be bought."""
    live: QuerySet[Price] = Price.objects.filter(retired_at=None)
    return sorted(set(live.values_list("currency", flat=True)), key=lambda code: (code != "EUR", code))
