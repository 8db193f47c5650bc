"""Sales made and changed by staff. The only writer of a Sale's names, dates and publication besides load_programme.

What members were written to is a promise: once one letter says when a sale opens, its opening stays, and it is not
withdrawn. A letter and a change wait for each other (first_access.write takes the sale's lock, too).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from membership import audit
from membership.errors import DomainError
from perks import fresh
from perks.kinds import early_access
from perks.kinds.base import SaleDates
from perks.models import FirstAccess, Sale, TierPerk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class SaleExists(DomainError):
    code = "sale_exists"
    status = 422
    message = gettext_noop("There is a sale with this code already.")


class SaleOvertaken(DomainError):
    code = "sale_overtaken"
    message = gettext_noop("Somebody else has changed this sale since you looked. Look again.")


class SaleOver(DomainError):
    code = "sale_over"
    message = gettext_noop("This sale is over. Make a new one.")


class NothingChanged(DomainError):
    code = "sale_unchanged"
    status = 422
    message = gettext_noop("The sale is as you would have it already.")


class InThePast(DomainError):
    code = "sale_in_the_past"
    status = 422
    message = gettext_noop("A sale opens, and ends, from now on: not in the past.")


class Mailed(DomainError):
    code = "sale_promised"
    message = gettext_noop(
        "Members were written to already that it opens for them first, and when. So its opening stays, and it is not "
        "withdrawn. Its names and its end may still change."
    )


class OpenAlready(DomainError):
    code = "sale_open"
    message = gettext_noop(
        "It is open already, at least for those who get in early. So its opening stays, and it is not withdrawn. Its "
        "names and its end may still change."
    )


@dataclass(frozen=True)
class Wanted:
    """A sale as somebody would have it; `published`: shops and members know of it."""

    names: dict[str, str]
    opens_at: datetime
    closes_at: datetime
    published: bool

    @classmethod
    def of(cls, sale: Sale) -> Wanted:
        return cls(sale.names, sale.opens_at, sale.closes_at, sale.published)


def make(*, code: str, wanted: Wanted, at: datetime, actor: str) -> Sale:
    """A sale that there has not been. Raises SaleExists, InThePast."""
    check(None, wanted, at)
    try:
        with transaction.atomic():
            sale = Sale.objects.create(code=code, **vars(wanted))
            audit.write(actor=actor, verb="make_sale", subject=f"sale:{code}", at=at, data=_kept(wanted))
            transaction.on_commit(fresh.forget_all)
    except IntegrityError:
        raise SaleExists from None
    return sale


def change(*, sale: Sale, was: Wanted, wanted: Wanted, at: datetime, actor: str) -> None:
    """Make of what was seen (`was`) what is wanted. Letters that were not written yet follow the new dates.

    Raises SaleOvertaken and what `check` raises.
    """
    with transaction.atomic():
        now = Sale.objects.select_for_update().get(pk=sale.pk)
        if Wanted.of(now) != was:
            raise SaleOvertaken
        check(now, wanted, at)
        asks_again = (wanted.opens_at, wanted.published) != (now.opens_at, now.published)
        again = {"invited_at": None, "invited_upto": 0} if asks_again else {}
        Sale.objects.filter(pk=now.pk).update(**vars(wanted), **again)
        data = {"was": _kept(was), "is": _kept(wanted)}
        audit.write(actor=actor, verb="change_sale", subject=f"sale:{now.code}", at=at, data=data)
        transaction.on_commit(fresh.forget_all)


def check(sale: Sale | None, wanted: Wanted, at: datetime) -> None:
    """Whether it may become so (None: be made so). Raises NothingChanged, SaleOver, InThePast, Mailed, OpenAlready."""
    moves = sale is None or wanted.opens_at != sale.opens_at or (wanted.published and not sale.published)
    if sale is not None and sale.published:
        _keeps_its_promise(sale, wanted, at)
    if sale is not None and Wanted.of(sale) == wanted:
        raise NothingChanged
    if wanted.closes_at <= at or (moves and wanted.published and wanted.opens_at < at):
        raise InThePast


def _keeps_its_promise(sale: Sale, wanted: Wanted, at: datetime) -> None:
    if at >= sale.closes_at:
        raise SaleOver
    if wanted.opens_at == sale.opens_at and wanted.published:
        return
    if mailed(sale):
        raise Mailed
    if at >= min([sale.opens_at, *openings(Wanted.of(sale), sale.code).values()]):
        raise OpenAlready


def mailed(sale: Sale) -> int:
    """How many members were written to that it opens for them first."""
    return FirstAccess.objects.filter(sale=sale, letter__isnull=False).count()


def openers() -> list[TierPerk]:
    """What opens sales early, as it is sold today."""
    offered = TierPerk.objects.filter(perk__kind=early_access.CODE, perk__published=True)
    return list(offered.select_related("perk", "tier"))


def openings(wanted: Wanted, code: str, by: Sequence[TierPerk] | None = None) -> dict[str, datetime]:
    """By code of tier: when it opens for who buys that tier today; tiers to which it opens with everybody left out."""
    dates = SaleDates(code, wanted.names, wanted.opens_at, wanted.closes_at)
    found: dict[str, datetime] = {}
    for one in openers() if by is None else by:
        settings = early_access.Settings.model_validate(one.sold_settings())
        if settings.sales is None or code in settings.sales:
            opens_at = settings.opens_at(dates)
            found[one.tier.code] = min(opens_at, found.get(one.tier.code, opens_at))
    return found


def _kept(wanted: Wanted) -> dict[str, object]:
    dates = {"opens_at": wanted.opens_at.isoformat(), "closes_at": wanted.closes_at.isoformat()}
    return {"names": wanted.names, "published": wanted.published, **dates}
