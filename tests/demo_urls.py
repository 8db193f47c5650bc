"""The routes of a demo, for tests that run in another mode."""

from django.urls import path

from membership.urls import urlpatterns as _everywhere
from membership.views import demo_time
from perks.urls import demo as _shop

urlpatterns = [*_everywhere, *_shop, path("demo/time/", demo_time.time, name="demo-time")]
