"""People who really pay, for the desk's tests."""

from tests.billing.conftest import ada, fails, joined, live, on_sale, silver, visitor, webhooks

__all__ = ["ada", "fails", "joined", "live", "on_sale", "silver", "visitor", "webhooks"]
