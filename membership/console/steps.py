"""A step: the two looks of anything that staff do. First what they say and why, then what will happen. What is
confirmed is what was read, or it is shown anew."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib import messages as notes
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership import audit
from membership.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django import forms
    from django.http import HttpRequest
    from django.utils.functional import _StrPromise as Words

    from membership.models import Staff

    Asked = dict[str, Any]

CHANGED = _("Something has changed since you looked. This is what would happen now.")


@dataclass(frozen=True, kw_only=True)
class Step:
    """`about` stands above the form, `facts` on both looks; `back` leads out of it, `goes_to` on from what was done.
    `confirm` may name the second look's button better than `button` does. `do` may answer with words in place of
    `done`, or with a page that can be read only once. `other` is what could be done instead: words, address."""

    title: str | Words
    about: str | Words
    button: str | Words
    done: str | Words
    back: str
    back_words: str
    preview: Callable[[Asked], list[str]]
    do: Callable[[Asked], str | HttpResponse | None]
    confirm: Callable[[Asked], str | None] = lambda said: None
    goes_to: str = ""
    problem: str = ""
    other: tuple[str, str] | None = None
    facts: list[str] = field(default_factory=list)


def take(request: HttpRequest, step: Step, form: forms.Form, *, staff: Staff) -> HttpResponse:
    """Answer a request of either look. `form` is bound when something was sent. Its `reason` goes into the audit."""
    if not form.is_bound:
        return _page(request, step, form, staff, problem=step.problem, impossible=bool(step.problem))
    if not form.is_valid():
        return _page(request, step, form, staff, status=422)
    try:
        lines = step.preview(form.cleaned_data)
        mark = _mark(lines)
        confirmed = request.POST.get("confirmed", "")
        if confirmed == mark:
            with audit.because(form.cleaned_data["reason"]):
                said = step.do(form.cleaned_data)
            if isinstance(said, HttpResponse):
                return said
            notes.success(request, said or str(step.done))
            return redirect(step.goes_to or step.back)
    except DomainError as refusal:
        return _page(request, step, form, staff, problem=gettext(str(refusal)), status=refusal.status)
    problem = str(CHANGED) if confirmed else ""
    shown = {"lines": lines, "mark": mark, "confirm": step.confirm(form.cleaned_data)}
    return _page(request, step, form, staff, problem=problem, status=409 if problem else 200, **shown)


def _page(request: HttpRequest, step: Step, form: forms.Form, staff: Staff, **shown: Any) -> HttpResponse:
    status = shown.pop("status", 200)
    if "lines" not in shown:
        _focus(form)
    return render(request, "console/act.html", {"step": step, "form": form, "staff": staff, **shown}, status=status)


def _focus(form: forms.Form) -> None:
    """Whoever opens the form can type at once: in its first field, or in the first that was refused."""
    fields = form.visible_fields()
    for one in fields:
        one.field.widget.attrs.pop("autofocus", None)
    refused = [one for one in fields if form.is_bound and one.errors]
    for one in (refused or fields)[:1]:
        one.field.widget.attrs["autofocus"] = True


def _mark(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]
