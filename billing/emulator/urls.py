"""The local Stripe's HTTP doors, under /stripe/: the API for programs, hosted pages for people."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from billing.emulator import invoice_page, pages, views

app_name = "local_stripe"
urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/<path:rest>", views.v1, name="api"),
    path("c/pay/<str:session_id>", pages.checkout, name="checkout"),
    path("3ds/<str:intent_id>", pages.authenticate, name="authenticate"),
    path("i/<str:invoice_id>", invoice_page.invoice, name="invoice"),
]
