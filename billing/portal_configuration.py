"""Our configuration of Stripe's billing portal: what members may do. `stripe_setup` makes it, new_card uses it."""

from __future__ import annotations

from typing import Any

from billing import gateway

MARK = {"made_by": "vip-membership"}
PARAMS: dict[str, Any] = {
    "metadata": MARK,
    "features": {
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        # Changing plan and canceling are ours: the member sees there what it means in money and perks.
        "subscription_cancel": {"enabled": False},
        "customer_update": {"enabled": False},
    },
}


def find() -> str:
    """The id of ours at Stripe, "" if `stripe_setup` has not been run."""
    active = gateway.read_all(gateway.client().v1.billing_portal.configurations.list, {"active": True})
    ours = [c["id"] for c in active if (c.get("metadata") or {}).get("made_by") == MARK["made_by"]]
    return str(ours[0]) if ours else ""
