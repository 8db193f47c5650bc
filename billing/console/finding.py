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
    found = OfflinePayment.objects.filter(reference=offline.folded(text)).select_related("member__user").first()
    if found is not None:
        yield Found(found.member, "offline", found.reference, exactly=True)
