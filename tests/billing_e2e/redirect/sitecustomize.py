"""Points an unmodified billing-e2e at the Stripe of STRIPE_API_BASE: on its path, Python imports this by itself.

The SDK's clients take their address from here when the first of them is made.
"""

import os

if base := os.environ.get("STRIPE_API_BASE"):
    import stripe

    stripe.DEFAULT_API_BASE = base  # type: ignore[attr-defined]
if seconds := os.environ.get("BILLING_E2E_PATIENCE"):  # how long a check that must fail is tried
    from billing_e2e import checks

    checks.CHECK_TIMEOUT = float(seconds)  # type: ignore[assignment]
