"""The member's own pages about their perks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.views.decorators.http import require_safe

from membership import clock
from membership.views.pages import member_of
from perks import history, savings

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@login_required
@require_safe
def savings_statement(request: HttpRequest) -> HttpResponse:
    """What the member's perks were worth to them, from the ledger, use by use; and what happened, as it happened."""
    member = member_of(request)
    periods = savings.statement(member, at=clock.now()) if member else []
    happened = history.of_member(member) if member else []
    return render(request, "perks/savings.html", {"periods": periods, "happened": happened})
