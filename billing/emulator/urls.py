"""The local Stripe's HTTP doors, under /stripe/: the API for programs, hosted pages for people."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from billing.emulator import dashboard_pages, invoice_page, pages, portal_pages, views

app_name = "local_stripe"
urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/<path:rest>", views.v1, name="api"),
    path("c/pay/<str:session_id>", pages.checkout, name="checkout"),
    path("3ds/<str:intent_id>", pages.authenticate, name="authenticate"),
    path("i/<str:invoice_id>", invoice_page.invoice, name="invoice"),
    path("p/session/<str:token>", portal_pages.home, name="portal"),
    path("p/session/<str:token>/card", portal_pages.card, name="portal-card"),
    path("p/session/<str:token>/cancel/<str:subscription_id>", portal_pages.cancel, name="portal-cancel"),
    path("dashboard/", dashboard_pages.home, name="dashboard"),
    path("dashboard/find", dashboard_pages.find, name="dashboard-find"),
    path("dashboard/deliveries/", dashboard_pages.sent, name="dashboard-deliveries"),
    path("dashboard/deliveries/<int:delivery_id>/resend", dashboard_pages.resend, name="dashboard-resend"),
    path("dashboard/clocks/", dashboard_pages.clocks, name="dashboard-clocks"),
    path("dashboard/<slug:slug>/", dashboard_pages.index, name="dashboard-list"),
    path("dashboard/<slug:slug>/<str:stripe_id>/", dashboard_pages.detail, name="dashboard-object"),
]
