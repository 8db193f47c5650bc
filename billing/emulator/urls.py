"""The local Stripe's HTTP doors, under /stripe/: the API for programs, hosted pages for people."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from billing.emulator import invoice_page, pages, portal_pages, views

app_name = "local_stripe"
urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/<path:rest>", views.v1, name="api"),
    path("c/pay/<str:session_id>", pages.checkout, name="checkout"),
    path("3ds/<str:intent_id>", pages.authenticate, name="authenticate"),
    path("i/<str:invoice_id>", invoice_page.invoice, name="invoice"),
    path("p/session/<str:token>", portal_pages.home, name="portal"),
    path("p/session/<str:token>/card", portal_pages.card, name="portal-card"),
    path("p/session/<str:token>/cancel/<str:subscription_id>", portal_pages.cancel, name="portal-cancel"),
]
