"""The staff's pages of perks: goodwill, what a member holds, and how its entries read."""

from perks.console import acts, panels, stories

__all__ = ["acts", "panels", "stories"]
