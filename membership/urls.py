"""All routes. The upper apps are included by name, so that nothing here imports them."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include("allauth.urls")),
    path("", include("perks.urls")),
    path("", include("billing.urls")),
]
if settings.LOCAL_STRIPE_INSTALLED:
    urlpatterns.append(path("stripe/", include("billing.emulator.urls")))
