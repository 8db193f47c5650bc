"""The card's doors: the member's PDF, the page behind the QR, and the keys by which shops verify without us."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from membership import card_face, card_pdf, card_token, cards, clock
from membership.models import Card, Member

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

KEYS_KEPT = "public, max-age=300"


@login_required
@require_safe
def pdf(request: HttpRequest) -> HttpResponse:
    """The member's own card, drawn now. A page that says why where there is none."""
    at = clock.now()
    try:
        card = _own_card(request, at)
        body = card_pdf.render(card, at)
    except (card_face.NoCardToShow, card_pdf.PdfIsOff) as refusal:
        context = {"refusal": refusal.code}
        return render(request, "cards/none.html", context, status=refusal.status)
    name = f"{slugify(settings.PROGRAMME_NAME) or 'vip'}-card-{card.member.number}.pdf"
    return HttpResponse(
        body, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'}
    )


def _own_card(request: HttpRequest, at: datetime) -> Card:
    member = Member.objects.select_related("user").filter(user=request.user.pk).first()
    if member is None or not card_face.has_card(member, at):
        raise card_face.NoCardToShow
    card = cards.first_or_current(member=member, at=at, actor=f"member:{member.pk}")
    if card is None:
        raise card_face.NoCardToShow
    return card


@require_safe
def page(request: HttpRequest, token: str) -> HttpResponse:
    """What the card is worth now, for whoever scans it; of its member no more than "Ada L."."""
    at = clock.now()
    check = cards.check(token, at=at)
    name = card_face.short_name(check.card.member.name) if check.valid and check.card else ""
    context = {"check": check, "name": name, "at": at}
    response = render(request, "cards/page.html", context, status=200 if check.card else 404)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@require_safe
def keys(_request: HttpRequest) -> JsonResponse:
    """The public keys of all cards that are still honored, as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    card_token.current_key_id()
    body = {"audience": card_token.AUDIENCE.decode(), "keys": [_jwk(*key) for key in card_token.public_keys().items()]}
    return JsonResponse(body, headers={"Cache-Control": KEYS_KEPT, "Access-Control-Allow-Origin": "*"})


def _jwk(key_id: int, public_key: bytes) -> dict[str, str]:
    x = base64.urlsafe_b64encode(public_key).decode().rstrip("=")
    return {"kid": str(key_id), "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "x": x}
