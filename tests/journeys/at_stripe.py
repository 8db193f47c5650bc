"""What the pages of the local Stripe need in their addresses, asked of its API as anybody with the key may."""

from __future__ import annotations

import json
import urllib.request
from typing import Any, cast
from urllib.parse import urlencode

PORTAL_FEATURES = ("invoice_history", "payment_method_update", "subscription_cancel")


def of_stripe(base_url: str) -> dict[str, str]:
    """A subscription that goes on, a paid invoice of it, and a portal session of who paid it."""
    running = _ask(base_url, "subscriptions?limit=100&status=active")["data"]
    subscription = next(one for one in running if not one["cancel_at"])
    invoice = _ask(base_url, f"invoices?limit=1&status=paid&subscription={subscription['id']}")["data"][0]
    features = {f"features[{name}][enabled]": "true" for name in PORTAL_FEATURES}
    configuration = _ask(base_url, "billing_portal/configurations", features)
    asked = {"customer": invoice["customer"], "configuration": configuration["id"], "return_url": f"{base_url}/portal/"}
    session = _ask(base_url, "billing_portal/sessions", asked)
    return {
        "stripe_invoice": invoice["id"],
        "stripe_subscription": subscription["id"],
        "stripe_portal": session["url"].rpartition("/")[2],
    }


def _ask(base_url: str, what: str, values: dict[str, str] | None = None) -> dict[str, Any]:
    body = urlencode(values).encode() if values else None
    request = urllib.request.Request(f"{base_url}/stripe/v1/{what}", body, {"Authorization": "Bearer sk_test_local"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return cast("dict[str, Any]", json.load(answer))
