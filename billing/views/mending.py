"""Something is wrong with a payment: what it is and where it is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.views.decorators.http import require_GET

from billing.models import Invoice
from billing.views.guards import member_of, member_required
from membership import clock, standing

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@member_required
@require_GET
def mend_payment(request: HttpRequest) -> HttpResponse:
    """The one address for "something is wrong with a payment": says what it is and leads to where it is mended."""
    at = clock.now()
    membership = standing.own_membership(member_of(request))
    context: dict[str, Any] = {"membership": membership}
    if membership:
        context["standing"] = standing.at(membership, at)
        context["open_invoice"] = Invoice.objects.filter(membership=membership, status="open").first()
    return render(request, "billing/mend_payment.html", context)
