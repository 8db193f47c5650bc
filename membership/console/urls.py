"""The console's routes of the ground floor. The upper apps name theirs under the same `console/`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from membership.console import acts, health, tiers, today, views, waiting

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.find, name="console"),
    path("queues/<slug:code>/", today.queue, name="console-queue"),
    path("waits/<slug:kind>/<int:pk>/", waiting.see_to, name="console-waits"),
    path("members/<int:number>/", views.member, name="console-member"),
    path("health/", health.health, name="console-health"),
    path("health/<slug:code>/", health.report, name="console-report"),
    path("health/<slug:code>/export/", health.export, name="console-export"),
    path("catalogue/tiers/<slug:code>/", tiers.lines, name="console-tier"),
    *acts.routes("membership"),
]
