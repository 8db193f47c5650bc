from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from billing.views import changing, checkout, declaring, invoices, leaving, mending, refunding, webhook

urlpatterns: list[URLPattern | URLResolver] = [
    path("checkout/return/", checkout.come_back, name="checkout-return"),
    path("checkout/<slug:plan_code>/", checkout.review, name="checkout"),
    path("portal/cancel/", leaving.cancel, name="cancel"),
    path("portal/stay/", leaving.stay, name="stay"),
    path("portal/refund/", refunding.refund, name="refund"),
    path("portal/refund/confirm/", refunding.confirm, name="refund-confirm"),
    path("portal/refund/<int:pk>/", refunding.made, name="refund-made"),
    path("portal/invoices/", invoices.invoices, name="invoices"),
    path("portal/invoices/<int:pk>/", invoices.invoice, name="invoice"),
    path("portal/change-plan/", changing.choose, name="change-plan"),
    path("portal/change-plan/keep/", changing.keep, name="change-plan-keep"),
    path("portal/change-plan/quotes/<int:pk>/", changing.quote, name="plan-quote"),
    path("portal/change-plan/<slug:plan_code>/quote/", changing.new_quote, name="plan-quote-new"),
    path("portal/change-plan/<slug:plan_code>/", changing.at_renewal, name="change-plan-at-renewal"),
    path("cancel/", declaring.cancel, name="declare-cancellation"),
    path("withdraw/", declaring.withdraw, name="declare-withdrawal"),
    path("declarations/confirm/<str:token>/", declaring.proof, name="declaration-proof"),
    path("declarations/<str:token>/", declaring.arrived, name="declaration"),
    path("declarations/<str:token>/text/", declaring.arrived_text, name="declaration-text"),
    path("mend-payment/", mending.mend_payment, name="mend-payment"),
    path("mend-payment/card/", mending.change_card, name="change-card"),
    path("console/", include("billing.console.urls")),
    path("webhooks/stripe/", webhook.stripe_webhook, name="stripe-webhook"),
]
