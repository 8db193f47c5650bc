"""The staff's pages of the ground floor. What they show and do is registered at start (membership/apps.py)."""

from membership.console import acts_of_member, mails_waiting, members_report, stories

__all__ = ["acts_of_member", "mails_waiting", "members_report", "stories"]
