"""The product's settings for the scenarios: its clock is the scenario's test clock, the world's is the wall's."""

from membership.settings import *  # noqa: F403
from membership.settings import LOCAL_STRIPE as _THEIRS

VIP_CLOCK = "tests.billing_e2e.clock.now"
LOCAL_STRIPE = _THEIRS | {"CLOCK": "membership.clock.wall", "CHECK": True, "SECONDS_TO_ADVANCE": 0}
