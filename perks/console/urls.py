from __future__ import annotations

from django.urls import URLPattern, path

from membership.console import acts
from perks.console import (
    catalogue,
    concierge,
    concierge_closing,
    desk,
    drafting,
    events,
    putting_on_sale,
    replays,
    sales,
    shops,
)

AT = "concierge/<int:pk>/"
PERK = "catalogue/perks/<slug:code>/"
urlpatterns: list[URLPattern] = [
    *acts.routes("perks"),
    path("members/<int:number>/checks/", replays.of_member, name="console-checks"),
    path("checks/<str:ident>/", replays.one, name="console-check"),
    path("events/", events.events, name="console-events"),
    path("events/<slug:code>/", events.event, name="console-event"),
    path("concierge/hours/", desk.hours, name="console-desk-hours"),
    path("concierge/", concierge.requests, name="console-concierge"),
    path(AT, concierge.one, name="console-concierge-request"),
    path(f"{AT}claim/", concierge.claim, name="console-concierge-claim"),
    path(f"{AT}put-back/", concierge.put_back, name="console-concierge-put-back"),
    path(f"{AT}answer/", concierge.answer, name="console-concierge-answer"),
    path(f"{AT}note/", concierge.note, name="console-concierge-note"),
    path(f"{AT}close/", concierge_closing.close, name="console-concierge-close"),
    path(f"{AT}reopen/", concierge.reopen, name="console-concierge-reopen"),
    path("catalogue/", catalogue.overview, name="console-catalogue"),
    path("catalogue/new-perk/", drafting.new, name="console-perk-new"),
    path(f"{PERK}", catalogue.perk, name="console-perk"),
    path(f"{PERK}names/", drafting.names, name="console-perk-names"),
    path(f"{PERK}put/", drafting.put, name="console-perk-put"),
    path(f"{PERK}publish/", putting_on_sale.publish, name="console-perk-publish"),
    path(f"{PERK}tiers/<slug:tier>/", drafting.tier, name="console-perk-tier"),
    path("catalogue/new-sale/", sales.new, name="console-sale-new"),
    path("catalogue/sales/<slug:code>/", sales.change, name="console-sale"),
    path("shops/", shops.shops, name="console-shops"),
    path("shops/new/", shops.new_shop, name="console-shop-new"),
    path("shops/<int:pk>/new-key/", shops.new_key, name="console-key-new"),
    path("shops/keys/<int:pk>/rotate/", shops.rotate, name="console-key-rotate"),
    path("shops/keys/<int:pk>/revoke/", shops.revoke, name="console-key-revoke"),
    path("concierge/files/<int:pk>/", concierge.file, name="console-concierge-file"),
]
