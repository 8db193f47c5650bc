"""Billing's part of what is always true."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Count

from billing import misplaced
from billing import notice_invariants as notice_invariants  # registers its own
from billing.models import InvoiceLine, StripeEvent
from membership import clock
from membership.invariants import invariant
from membership.models import AuditEntry, Term

UNPROCESSED = timedelta(minutes=5)


@invariant("I2", "one paid invoice line that buys time = one term, and back; any other term is audited")
def paid_lines_are_terms() -> Iterable[str]:
    paid = Term.objects.filter(source=Term.Source.PAID)
    terms = dict(paid.values_list("source_ref", "pk"))
    for row in paid.values("source_ref").annotate(n=Count("pk")).filter(n__gt=1):
        yield f"{row['source_ref']} made {row['n']} terms"
    refs = set()
    for line in InvoiceLine.objects.filter(buys_time=True, invoice__status="paid").select_related("invoice").iterator():
        refs.add(line.term_ref)
        if line.term_ref not in terms and not misplaced.gives_back(line.invoice.stripe_id):
            yield f"invoice line {line.pk} is paid and buys time, but made no term"
    for ref, pk in terms.items():
        if ref not in refs:
            yield f"term {pk} is said to be paid, but no paid invoice line made it"
    audited = {data.get("ref") for data in AuditEntry.objects.filter(verb="add_term").values_list("data", flat=True)}
    for term in Term.objects.exclude(source=Term.Source.PAID).iterator():
        if term.source_ref not in audited:
            yield f"term {term.pk} ({term.source}) has no audit entry"


@invariant("I10", "each event is stored once; none is unprocessed for 5 minutes unless parked with a reason")
def events_are_worked_off() -> Iterable[str]:
    repeated = StripeEvent.objects.values("stripe_id").annotate(n=Count("pk")).filter(n__gt=1)
    for row in repeated:
        yield f"event {row['stripe_id']} is stored {row['n']} times"
    old = clock.now() - UNPROCESSED
    for event in StripeEvent.objects.filter(done_at=None, parked_reason="", received_at__lt=old):
        yield f"event {event.pk} has waited since {event.received_at:%Y-%m-%d %H:%M}"
