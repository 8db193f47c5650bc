"""Cancel and withdraw without logging in: the form, the receipt, and the account's word that it was they.

Every declaration is answered alike, known address or not: nothing is looked up before the answer.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from billing import declarations
from billing.declaration_forms import CancellationForm, DeclarationForm, WithdrawalForm
from billing.models import Declaration
from membership import clock, limits

if TYPE_CHECKING:
    from django.http import HttpRequest

PER_HOUR = 30  # from one address: a shop's own wi-fi may be behind it


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest) -> HttpResponse:
    """ "Cancel contracts here": § 312k BGB."""
    return _declare(request, CancellationForm, "billing/declaring/cancel.html")


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest) -> HttpResponse:
    """ "Withdraw from contract here": Directive 2011/83/EU, Art. 11a."""
    return _declare(request, WithdrawalForm, "billing/declaring/withdraw.html")


def _declare(request: HttpRequest, form_class: type[DeclarationForm], template: str) -> HttpResponse:
    sent = request.method == "POST"
    form = form_class(request.POST if sent else None, initial=_known(request))
    if not (sent and form.is_valid()):
        return render(request, template, {"form": form}, status=422 if sent else 200)
    try:
        _count(request)
    except limits.TooMany as refusal:
        form.add_error(None, _("Nothing has arrived: from your network this was sent very often. Please wait a while."))
        return render(request, template, {"form": form}, status=refusal.status)
    row = declarations.receive(said=form.said(), form=form.cleaned_data["mark"], at=clock.now())
    return redirect("declaration", row.token)


def _count(request: HttpRequest) -> None:
    address = limits.address_of(request)
    limits.hit(f"declare:{address}", limit=PER_HOUR, per=timedelta(hours=1), at=clock.wall())


def _known(request: HttpRequest) -> dict[str, Any]:
    """Who is logged in need not type what we know."""
    member = getattr(request.user, "member", None)
    return {"name": member.name, "email": member.user.email, "number": member.number} if member else {}


@require_safe
def arrived(request: HttpRequest, token: str) -> HttpResponse:
    """The receipt: what arrived, and when. The address is its key, and says no more than what was typed."""
    row = get_object_or_404(Declaration, token=token)
    return render(request, "billing/declaring/arrived.html", {"declared": row})


@require_safe
def arrived_text(request: HttpRequest, token: str) -> HttpResponse:
    """The same as a file to keep."""
    row = get_object_or_404(Declaration, token=token)
    words = render_to_string("billing/declaring/kept.txt", {"declared": row}, request).strip() + "\n"
    name = f"{row.kind}-{row.reference}.txt"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(words, content_type="text/plain; charset=utf-8", headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
def proof(request: HttpRequest, token: str) -> HttpResponse:
    """From the letter to the account: "yes, that was me". Only a POST says it: mail scanners follow links."""
    row = declarations.of_proof(token)
    if row is None:
        raise Http404
    if request.method == "POST":
        declarations.prove(row, at=clock.now())
        row.refresh_from_db()
    waits = row.proven_at is None and row.done_at is None
    return render(request, "billing/declaring/proof.html", {"declared": row, "waits": waits})
