"""The staff's pages of perks: goodwill, bookings, the concierge, what a member holds, and how its entries read."""

from perks.console import acts, booking_acts, finding, panels, perks_report, queues, stories, waiting

__all__ = ["acts", "booking_acts", "finding", "panels", "perks_report", "queues", "stories", "waiting"]
