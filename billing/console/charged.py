"""“I was charged after I canceled”: what was charged around a cancellation, in sentences to be read out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from billing.models import Invoice
from membership.templatetags import vip

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Membership

SHOWN = 3


def since_canceling(membership: Membership) -> list[str]:
    """Nothing for who has not canceled. Moments are the reader's, last days those of the promise."""
    canceled_at = membership.canceled_at
    if canceled_at is None:
        return []
    paid = Invoice.objects.filter(membership=membership, amount_paid__gt=0, paid_at__isnull=False)
    paid = paid.order_by("-paid_at", "-pk").prefetch_related("lines", "payments")
    later = list(paid.filter(paid_at__gt=canceled_at)[:SHOWN])
    if later:
        told = [_charge(invoice, membership) for invoice in later]
        return [*told, _("That is after they canceled on %(moment)s.") % {"moment": vip.moment(canceled_at)}]
    told = [_("Nothing was charged after they canceled on %(moment)s.") % {"moment": vip.moment(canceled_at)}]
    last = paid.first()
    return [*told, _charge(last, membership), *_begun(last, canceled_at)] if last else told


def _charge(invoice: Invoice, membership: Membership) -> str:
    facts = {
        "amount": vip.money_exact(invoice.amount_paid, invoice.currency),
        "moment": vip.moment(invoice.paid_at),
        "back": vip.money_exact(invoice.returned, invoice.currency),
    }
    bought = [line for line in invoice.lines.all() if line.buys_time]
    words = _("%(amount)s was charged on %(moment)s.")
    if bought:
        facts["begin"] = vip.day(min(line.starts_at for line in bought))
        facts["end"] = vip.last_day(max(line.ends_at for line in bought), membership.time_zone)
        words = _("%(amount)s was charged on %(moment)s, for the term from %(begin)s to %(end)s.")
    told = words % facts
    return f"{told} {_('%(back)s of it was given back.') % facts}" if invoice.returned else told


def _begun(invoice: Invoice, canceled_at: datetime) -> list[str]:
    """That the term had begun, where it had: nobody may read out what is not so."""
    bought = [line for line in invoice.lines.all() if line.buys_time]
    return [_("That term had begun before they canceled.")] if bought and bought[0].starts_at <= canceled_at else []
