from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from perks import api_docs, bookings, views
from perks.concierge import pages as concierge
from perks.demo_shop import views as demo_shop

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/docs", api_docs.page, name="api-docs"),
    path("portal/savings/", views.savings_statement, name="savings"),
    path("portal/concierge/", concierge.requests, name="concierge"),
    path("portal/concierge/files/<int:pk>/", concierge.file, name="concierge-file"),
    path("portal/concierge/<slug:ident>/", concierge.one, name="concierge-request"),
    path("portal/bookings/", bookings.bookings, name="bookings"),
    path("portal/bookings/events/<slug:code>/", bookings.book_seat, name="book-seat"),
    path("portal/bookings/events/<slug:code>/give-back/", bookings.give_seat_back, name="give-seat-back"),
    path("portal/bookings/events/<slug:code>/leave/", bookings.leave_waiting_list, name="leave-waiting-list"),
    path("portal/bookings/services/<slug:perk>/", bookings.book_service, name="book-service"),
    path("console/", include("perks.console.urls")),
]
demo = [
    path("demo/shop/", demo_shop.shop, name="demo-shop"),
    path("demo/shop/as/", demo_shop.choose, name="demo-shop-as"),
    path("demo/shop/put/", demo_shop.put, name="demo-shop-put"),
    path("demo/shop/basket/", demo_shop.basket, name="demo-shop-basket"),
    path("demo/shop/orders/<slug:ref>/", demo_shop.order, name="demo-shop-order"),
]
if settings.VIP_MODE == "demo":
    urlpatterns += demo
