"""Declining letters: for people who come from a link in one, and for mail programs that have a button for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from membership import clock, declining, signup

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@csrf_exempt  # a mail program posts from nowhere, and without cookies: the signed address is all that is needed
@require_http_methods(["GET", "HEAD", "POST"])
def decline(request: HttpRequest, token: str) -> HttpResponse:
    """Only a POST declines: who fetches links to look for viruses changes nothing. It says nobody's name: letters are
    handed on."""
    asked = declining.read(token)
    if asked is None:
        raise Http404
    if request.method == "POST":
        signup.decline(asked=asked, at=clock.now())
    wanted = getattr(asked.member, asked.choice.field)
    return render(request, "membership/decline.html", {"letters": asked.choice.words, "wanted": wanted})
