"""The web server's entry: the perk check's fast lane first, then Django."""

import os

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "membership.settings")
django = get_wsgi_application()
application = import_string("perks.fast_lane.FastLane")(django)
import_string("billing.starting.begin")()
