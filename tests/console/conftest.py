"""People who really pay, for the desk's tests."""

from tests.billing.conftest import ada, joined, on_sale, visitor, webhooks

__all__ = ["ada", "joined", "on_sale", "visitor", "webhooks"]
