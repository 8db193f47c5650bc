"""The product's settings, with `unprotected` among the middleware."""

from membership.settings import *  # noqa: F403
from membership.settings import MIDDLEWARE as _MIDDLEWARE

MIDDLEWARE = [*_MIDDLEWARE, "tests.storms.unprotected.middleware"]
