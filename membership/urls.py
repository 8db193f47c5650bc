"""All routes. The upper apps are included by name, so that nothing here imports them."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from membership import card_views
from membership.api import api
from membership.views import demo_time, dev_mail, health, letters, mails, own_data, pages, portal

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),  # first: it is asked a thousand times as often as all others
    path("", pages.home, name="home"),
    path("plans/", pages.plans, name="plans"),
    path("language/", pages.set_language, name="set-language"),
    path("portal/", portal.portal, name="portal"),
    path("portal/settings/", portal.own_settings, name="settings"),
    path("portal/mails/", mails.mails, name="mails"),
    path("portal/mails/<int:pk>/", mails.mail, name="mail"),
    path("portal/data/", own_data.own, name="own-data"),
    path("letters/<str:token>/", letters.decline, name="decline"),
    path("healthz", health.healthz, name="healthz"),
    path("portal/card.pdf", card_views.pdf, name="card-pdf"),
    path("c/<str:token>", card_views.page, name="card-page"),
    path(".well-known/vip-keys.json", card_views.keys, name="vip-keys"),
    path("account/", include("allauth.urls")),
    path("console/", include("membership.console.urls")),
    path("", include("perks.urls")),
    path("", include("billing.urls")),
]
if settings.VIP_MODE != "production":
    urlpatterns += [
        path("dev/mail/", dev_mail.mailbox, name="dev-mail"),
        path("dev/mail/<int:pk>/", dev_mail.mail, name="dev-mail-one"),
        path("dev/mail/<int:pk>/html/", dev_mail.mail_html, name="dev-mail-html"),
    ]
if settings.VIP_MODE == "demo":
    urlpatterns.append(path("demo/time/", demo_time.time, name="demo-time"))
if settings.LOCAL_STRIPE_INSTALLED:
    urlpatterns.append(path("stripe/", include("billing.emulator.urls")))

handler400 = "membership.views.errors.bad_request"
handler403 = "membership.views.errors.forbidden"
handler404 = "membership.views.errors.not_found"
handler429 = "membership.views.errors.too_many"
handler500 = "membership.views.errors.server_error"
