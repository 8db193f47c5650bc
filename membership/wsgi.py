"""The web server's entry: the perk check's fast lane first, then Django."""

import os
import sys

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

# A thread that computes lets the others on after 1 ms instead of Python's 5: a perk check needs the interpreter several
# times, for less than that, and would wait for a page or a webhook each time (docs/performance.md).
sys.setswitchinterval(0.001)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "membership.settings")
django = get_wsgi_application()
application = import_string("perks.fast_lane.FastLane")(django)
import_string("billing.starting.begin")()
