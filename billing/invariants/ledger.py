"""I7: what we keep of money is what Stripe has, item by item, and no more goes back of a charge than was taken.
I17: whoever decided to give it back stands in the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db.models import F, Model

from billing import differences, gateway
from billing.differences import Differences, Row
from billing.models import Dispute, Invoice, Payment, Refund
from membership.invariants import invariant
from membership.models import AuditEntry

# Stripe's list, how a page of it is compared, and our rows that must all be met on it.
LISTS: dict[str, tuple[Callable[[list[Row]], Differences], type[Model]]] = {
    "invoices": (differences.invoices, Invoice),
    "charges": (differences.charges, Payment),
    "refunds": (differences.refunds, Refund),
    "disputes": (differences.disputes, Dispute),
}


@invariant("I7", "per charge 0 ≤ refunded + disputed ≤ captured")
def no_more_goes_back_than_was_paid() -> Iterable[str]:
    for payment in Payment.objects.filter(captured__lt=F("returned") + F("disputed")):
        yield f"payment {payment.pk}: {payment.returned} + {payment.disputed} of {payment.captured} went back"


@invariant("I7", "our ledger equals Stripe's, item by item", outside="Stripe")
def our_ledger_is_stripes() -> Iterable[str]:
    for name, (differs, model) in LISTS.items():
        met = 0
        for rows in pages(name):
            for ident, said in differs(rows).items():
                yield f"{ident}: {said}"
            met += model._default_manager.filter(stripe_id__in=[row["id"] for row in rows]).count()
        ours = model._default_manager.exclude(stripe_id=None).count()
        if met != ours:
            yield f"{ours - met} of our {name} are not in Stripe's list"


@invariant("I17", "every refund that was decided here has its entry in the audit")
def refunds_are_audited() -> Iterable[str]:
    decided = Refund.objects.exclude(basis__in=[Refund.Basis.MISPLACED, Refund.Basis.STRIPE]).order_by("pk")
    audited = {data.get("decision") for data in AuditEntry.objects.filter(verb="refund").values_list("data", flat=True)}
    for pk, decision in decided.values_list("pk", "decision"):
        if decision not in audited:
            yield f"refund {pk} ({decision}) has no audit row"


def pages(name: str, **params: Any) -> Iterator[list[Row]]:
    """One of Stripe's lists, a page at a time."""
    return gateway.read_pages(getattr(gateway.client().v1, name).list, params)
