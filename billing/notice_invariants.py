"""What is always true of what members are told: each notice and mail once, in time, in order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Count

from billing import dunning
from billing.models import Notice
from membership import clock
from membership.invariants import invariant
from membership.models import Message

UNSENT = timedelta(hours=1)  # the longest pause between two tries to send a mail


@invariant("I11", "each message and notice is done or inside its schedule; one a membership, kind, term and step")
def notices_are_in_time() -> Iterable[str]:
    now = clock.now()
    for notice in Notice.objects.filter(done_at=None, latest_at__lt=now).exclude(issue__gte=1):
        yield f"notice {notice.pk} ({notice.kind} {notice.step}) was to be sent by {notice.latest_at:%Y-%m-%d %H:%M}"
    for notice in Notice.objects.filter(done_at__isnull=False, issue=0, skipped_reason=""):
        yield f"notice {notice.pk} is said to be done, but nothing carried it"
    key = ("membership", "kind", "term", "step")
    for row in Notice.objects.values(*key).annotate(n=Count("pk")).filter(n__gt=1).order_by():
        yield f"membership {row['membership']} has {row['n']} notices {row['kind']} {row['step']} of term {row['term']}"
    waiting = Message.objects.filter(done_at=None, parked_reason="", due_at__lt=now - UNSENT)
    for message in waiting:
        yield f"message {message.pk} ({message.kind}) has been due since {message.due_at:%Y-%m-%d %H:%M}"


@invariant("I13", "dunning steps of an invoice are an in-order prefix of the schedule, each once")
def dunning_goes_in_order() -> Iterable[str]:
    rows = Notice.objects.filter(kind=Notice.Kind.DUNNING, done_at__isnull=False)
    by_term: dict[tuple[int, int], list[Notice]] = {}
    for row in rows.order_by("pk").iterator():
        by_term.setdefault((row.membership_id, row.term_id), []).append(row)
    for (membership, term), steps in by_term.items():
        told = sorted(steps, key=lambda row: dunning.STEPS.index(row.step))
        if tuple(row.step for row in told) != dunning.STEPS[: len(told)]:
            yield f"dunning of membership {membership} after term {term} leaves a step out, or has one twice"
        sent = [row.sent_at for row in told if row.sent_at is not None]
        if sent != sorted(sent):
            yield f"dunning of membership {membership} after term {term} was not sent in order"
        if len({row.invoice_id for row in told}) > 1:
            yield f"dunning of membership {membership} after term {term} speaks of several invoices"
