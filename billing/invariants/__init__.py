"""Billing's part of what is always true, a module a subject; `manage.py check_invariants` asks.

What needs Stripe's own lists is marked `outside="Stripe"`: `--offline` leaves it out.
"""

from billing.invariants import changes_of_plan, charging, ledger, operations, terms_and_events

__all__ = ["changes_of_plan", "charging", "ledger", "operations", "terms_and_events"]
