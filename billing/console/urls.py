"""The console's routes of billing: acts on a member, and declarations, which need not be anybody's yet."""

from __future__ import annotations

from django.urls import URLPattern, path

from billing.console import approving, declaring, pricing
from membership.console import acts

urlpatterns: list[URLPattern] = [
    *acts.routes("billing"),
    path("refunds/<int:pk>/approve/", approving.approve, name="console-approve"),
    path("refunds/<int:pk>/decline/", approving.decline, name="console-decline"),
    path("catalogue/plans/<slug:code>/price/", pricing.change, name="console-price"),
    path("catalogue/plans/<slug:code>/sale/", pricing.offer, name="console-plan-sale"),
    path("declarations/<slug:token>/", declaring.show, name="console-declaration"),
    path("declarations/<slug:token>/assign/", declaring.assign, name="console-declaration-assign"),
    path("declarations/<slug:token>/close/", declaring.close, name="console-declaration-close"),
]
