"""The web server's entry."""

import os

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "membership.settings")
application = get_wsgi_application()
import_string("billing.starting.begin")()
