"""A member's invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from billing.models import Invoice, OfflinePayment
from billing.views.guards import member_of, member_required

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@member_required
@require_GET
def invoices(request: HttpRequest) -> HttpResponse:
    """What was ever charged, and what was paid at the counter or by transfer."""
    member = member_of(request)
    rows = Invoice.objects.filter(membership__member=member).prefetch_related("lines", "payments")
    paid_offline = OfflinePayment.objects.filter(member=member).select_related("term__plan__tier")
    context = {"invoices": rows, "paid_offline": paid_offline.order_by("-paid_on", "-pk")}
    return render(request, "billing/invoices.html", context)


@member_required
@require_GET
def invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """One invoice as a page to read or print. Another member's answers like one that does not exist."""
    row = get_object_or_404(Invoice.objects.filter(membership__member=member_of(request)), pk=pk)
    return render(request, "billing/invoice.html", {"invoice": row, "lines": row.lines.all()})
