"""The local Stripe's HTTP door, under /stripe/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "local_stripe"
urlpatterns: list[URLPattern | URLResolver] = []
