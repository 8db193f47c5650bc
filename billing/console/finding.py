"""The one box also finds who paid offline, by the reference of the receipt, however it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing import offline
from billing.models import OfflinePayment
from membership import search
from membership.search import Found

if TYPE_CHECKING:
    from collections.abc import Iterable


@search.finder
def by_receipt(text: str) -> Iterable[Found]:
    paid = OfflinePayment.objects.filter(reference=offline.folded(text)).prefetch_related("member__user")
    for found in paid:
        yield Found(found.member, "offline", found.reference, exactly=True)
