"""The console's routes of the ground floor. The upper apps name theirs under the same `console/`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from membership.console import acts, today, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.find, name="console"),
    path("queues/<slug:code>/", today.queue, name="console-queue"),
    path("members/<int:number>/", views.member, name="console-member"),
    *acts.routes("membership"),
]
