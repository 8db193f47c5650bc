"""What was paid for a better tier, and the tier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.models import InvoiceLine
from membership.invariants import invariant
from membership.models import Term, TierChange

if TYPE_CHECKING:
    from collections.abc import Iterable


@invariant("I2", "one paid invoice line that changes the plan = one tier change, and back")
def paid_changes_are_tier_changes() -> Iterable[str]:
    made = dict(TierChange.objects.filter(source_ref__startswith="stripe:").values_list("source_ref", "pk"))
    refs = set()
    first_terms = Term.objects.order_by("-starts_at").values_list("membership", "starts_at")
    begun = dict(first_terms)  # the earliest of each membership, since the last one written stays
    for line in InvoiceLine.objects.filter(changes_plan=True, invoice__status="paid").select_related("invoice"):
        refs.add(line.term_ref)
        first = begun.get(line.invoice.membership_id)
        if line.term_ref not in made and first is not None and first <= line.starts_at:
            yield f"invoice line {line.pk} is paid and changes the plan, but no tier changed"
    for ref, pk in made.items():
        if ref not in refs:
            yield f"tier change {pk} is said to be paid, but no paid invoice line made it"
