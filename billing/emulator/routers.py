"""The local Stripe keeps its rows in a database of its own: the real one does not roll back with ours either."""

from __future__ import annotations

from typing import Any

ALIAS = LABEL = "local_stripe"


class LocalStripeRouter:
    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return ALIAS if model._meta.app_label == LABEL else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        if db == ALIAS or app_label == LABEL:
            return db == ALIAS and app_label == LABEL
        return None
