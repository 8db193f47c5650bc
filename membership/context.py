"""What every template knows: the programme's name and whether this is a demo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest


def programme(request: HttpRequest) -> dict[str, Any]:
    return {"programme_name": settings.PROGRAMME_NAME, "demo": settings.VIP_MODE == "demo"}
