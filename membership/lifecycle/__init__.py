"""The state machine of a membership: the sole writer of Membership, Term, TierChange, Stop and Pause.

Every verb runs in one transaction: lock, check, write, record (transition, timeline, audit), announce. Verbs that
carry a `source_ref` may be told the same fact any number of times. `at` is the product's present moment; `actor` is
"member:7", "staff:3", "stripe" or "system". Callers are billing's sync, the console and the sign-up pages.
"""

from membership.lifecycle.joining import add_term, extend, reserve
from membership.lifecycle.leaving import cancel, end, undo_cancel
from membership.lifecycle.recording import ALLOWED, LIVING, AlreadyMember, NothingToPause, NotPossible
from membership.lifecycle.running import change_tier, end_pause, lift, pause, plan_renewal, suspend

__all__ = [
    "ALLOWED",
    "LIVING",
    "AlreadyMember",
    "NotPossible",
    "NothingToPause",
    "add_term",
    "cancel",
    "change_tier",
    "end",
    "end_pause",
    "extend",
    "lift",
    "pause",
    "plan_renewal",
    "reserve",
    "suspend",
    "undo_cancel",
]
