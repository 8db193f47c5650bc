"""The product's settings, with `remembering` among the middleware."""

from membership.settings import *  # noqa: F403
from membership.settings import MIDDLEWARE as _MIDDLEWARE

MIDDLEWARE = [*_MIDDLEWARE, "tests.storms.remembering.middleware"]
