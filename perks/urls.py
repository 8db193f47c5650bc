from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, path

from perks import api_docs, demo_shop

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/docs", api_docs.page, name="api-docs"),
]
if settings.VIP_MODE == "demo":
    urlpatterns.append(path("demo/shop/", demo_shop.shop, name="demo-shop"))
