"""What the tests of redemptions ask and read."""

from tests.invariants import breached
from tests.perks.conftest import number


def refused(response) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


def wrong() -> set[str]:
    """What check_invariants says of the perks: the paid terms of these tests have no invoices."""
    return breached() & {"I4", "I5", "I6"}


def asked(membership):
    return {"member": number(membership), "perks": ["concierge"]}


def left(shop, membership):
    return shop.check(**asked(membership))["decisions"][0]["uses_left"]
