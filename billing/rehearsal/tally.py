"""What happened in a rehearsal, counted in the end from the facts that are left, not from what people tried."""

from __future__ import annotations

from itertools import pairwise

from django.db.models import QuerySet

from billing import dunning
from billing.models import Dispute, Invoice, Notice, Refund
from membership.models import Membership, Term, TierChange, TimelineEntry
from perks.models import Redemption

TROUBLE = (dunning.FAILED, dunning.CONFIRM, dunning.HARD)


def count() -> dict[str, int]:
    """How often each kind of thing happened."""
    memberships = Membership.objects.filter(terms__isnull=False).distinct()
    held = list(memberships.order_by("pk").prefetch_related("terms__plan__tier", "terms__tier_changes__to_plan__tier"))
    told = {str(pk) for pk in memberships.values_list("pk", flat=True)}
    troubled = _troubled()
    return {
        "joined": len({membership.member_id for membership in held}),
        "rejoined": len(held) - len({membership.member_id for membership in held}),
        "renewals": sum(max(len(_paid(membership)) - 1, 0) for membership in held),
        "failed payments": troubled.count(),
        "mended": troubled.filter(status="paid").count(),
        "ended unpaid": Notice.objects.filter(step=dunning.ENDED, message__isnull=False).count(),
        "lapsed": memberships.filter(end_reason=Membership.EndReason.LAPSED).count(),
        "cancellations": _entries("membership.cancel", told),
        "stayed after all": _entries("membership.undo_cancel", told),
        "upgrades": TierChange.objects.count(),
        "downgrades": sum(_downgrades(membership) for membership in held),
        "refunds": Refund.objects.filter(state=Refund.State.SUCCEEDED).count(),
        "refunds that came back": Refund.objects.filter(state=Refund.State.FAILED).count(),
        "disputes won": Dispute.objects.filter(status="won").count(),
        "disputes lost": Dispute.objects.filter(status="lost").count(),
        "paid offline": Term.objects.filter(source=Term.Source.OFFLINE).count(),
        "free days": Term.objects.filter(source=Term.Source.COMPLIMENTARY).count(),
        "perks used": Redemption.objects.filter(status=Redemption.Status.COMMITTED).count(),
        "perks that came back": Redemption.objects.filter(returned_worth__gt=0).count(),
    }


def _troubled() -> QuerySet[Invoice]:
    """Renewals' invoices about which a letter said that they could not be charged."""
    letters = Notice.objects.filter(kind=Notice.Kind.DUNNING, step__in=TROUBLE, message__isnull=False)
    return Invoice.objects.filter(pk__in=letters.values("invoice"))


def _paid(membership: Membership) -> list[Term]:
    return [term for term in membership.terms.all() if term.source == Term.Source.PAID]


def _downgrades(membership: Membership) -> int:
    """Renewals into a lower tier than the one held at the end of the term before."""
    terms = _paid(membership)
    return sum(later.plan.tier.rank < _last_rank(term) for term, later in pairwise(terms))


def _last_rank(term: Term) -> int:
    changes = list(term.tier_changes.all())
    return (changes[-1].to_plan if changes else term.plan).tier.rank


def _entries(kind: str, memberships: set[str]) -> int:
    """Of memberships that began: a place that is given back unpaid is canceled, too."""
    found = TimelineEntry.objects.filter(kind=kind).values_list("data__membership", flat=True)
    return sum(str(membership) in memberships for membership in found)
