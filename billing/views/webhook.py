"""Stripe's webhook door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing import gateway, inbox
from membership import clock

if TYPE_CHECKING:
    from django.http import HttpRequest

MAX_EVENT_BYTES = 512 * 1024


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> JsonResponse:
    """Verify, store once, answer. Nothing that is not verified is stored; the worker does the rest."""
    if int(request.headers.get("Content-Length") or 0) > MAX_EVENT_BYTES:
        return JsonResponse({"error": "too large"}, status=413)
    try:
        event = gateway.verified_event(request.body, request.headers.get("Stripe-Signature", ""))
    except gateway.ForgedEvent as forged:
        return JsonResponse({"error": forged.code}, status=forged.status)
    inbox.receive(event, at=clock.now())
    return JsonResponse({"received": True})
