from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from billing import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("checkout/return/", views.come_back, name="checkout-return"),
    path("checkout/<slug:plan_code>/", views.review, name="checkout"),
    path("portal/cancel/", views.cancel, name="cancel"),
    path("portal/stay/", views.stay, name="stay"),
    path("portal/invoices/", views.invoices, name="invoices"),
    path("portal/invoices/<int:pk>/", views.invoice, name="invoice"),
    path("mend-payment/", views.mend_payment, name="mend-payment"),
    path("webhooks/stripe/", views.stripe_webhook, name="stripe-webhook"),
]
