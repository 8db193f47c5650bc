"""The staff's pages of the ground floor. What they show and do is registered at start (membership/apps.py)."""

from membership.console import stories

__all__ = ["stories"]
