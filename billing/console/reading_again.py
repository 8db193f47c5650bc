"""Reading one member's subscriptions and invoices anew from Stripe, where a clerk doubts what stands here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import sync
from billing.models import LIVE, Dispute, Invoice, Payment, Refund, Subscription
from membership import audit, standing, timeline
from membership.console.acts import Act, Case, offer
from membership.console.members_report import SHOWN as STANDINGS
from membership.models import Membership
from membership.templatetags import vip

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Member


def readable(member: Member, own: Membership | None) -> list[Subscription]:
    """What may still charge, of any stay of theirs, and the newest of this stay even if it has ended; the oldest
    first."""
    every = Subscription.objects.filter(membership__member=member)
    latest = every.filter(membership=own).order_by("-pk").values_list("pk", flat=True).first() if own else None
    return list(every.filter(Q(status__in=LIVE) | Q(pk=latest)).order_by("pk"))


@offer
class ReadAgain(Act):
    name, order = "read-again", 70
    label, button, done = _("Read anew from Stripe"), _("Read it anew"), _("Read anew: nothing differed.")
    about = _("What Stripe has of this member's subscription, invoices and payments is read now, and counts here.")

    def fits(self, case: Case) -> bool:
        return bool(readable(case.member, case.membership))

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        return [
            *(
                gettext("%(subscription)s and its invoices are read anew, and what differs here is put right.")
                % {"subscription": found.stripe_id}
                for found in readable(case.member, case.membership)
            ),
            gettext("Nothing is charged. What Stripe took that has no place here goes back, as it always does."),
        ]

    def do(self, case: Case, asked: dict[str, Any]) -> str | None:
        """Each is told by itself as soon as it is read: where Stripe falls silent between two, the first stays told."""
        brought = [(found, read(found, case)) for found in readable(case.member, case.membership)]
        if not any(told for _found, told in brought):
            return None
        if len(brought) == 1:
            return gettext("Read anew, and put right: %(differed)s.") % {"differed": brought[0][1]}
        return " ".join(_said(found, told) for found, told in brought)


def read(found: Subscription, case: Case) -> str:
    """Read one, and write what it brought into the story and the audit. -> what differed, or "". Raises
    StripeUnavailable."""
    before = picture(found, at=case.at)
    sync.subscription(found.stripe_id)
    after = picture(found, at=case.at)
    differed = [name for name in after if before.get(name) != after[name] and _is_told(name, before)]
    data = {"subscription": found.stripe_id, "differed": ", ".join(differed)[:400]}
    actor, subject = case.staff.actor, f"membership:{found.membership_id}"
    kind = "stripe.read_repaired" if differed else "stripe.read_same"
    with transaction.atomic():
        timeline.write(member=case.member, kind=kind, at=case.at, actor=actor, data=data)
        audit.write(actor=actor, verb="read_again", subject=subject, at=case.at, data=data)
    return "; ".join(f"{name}: {before.get(name, '–')} → {after[name]}" for name in differed)


def _said(found: Subscription, told: str) -> str:
    if told:
        return gettext("%(subscription)s, put right: %(differed)s.") % {
            "subscription": found.stripe_id,
            "differed": told,
        }
    return gettext("%(subscription)s: nothing differed.") % {"subscription": found.stripe_id}


def _is_told(name: str, before: dict[str, str]) -> bool:
    """Of what was not known here at all its own line is enough."""
    return name in before or ", " not in name


def picture(subscription: Subscription, *, at: datetime) -> dict[str, str]:
    """All that a reading may put right and a clerk would care about, by name. What is not here would be said not to
    differ."""
    membership = Membership.objects.with_facts().get(pk=subscription.membership_id)
    held = standing.at(membership, at)
    told = {
        gettext("Standing"): str(STANDINGS[held]),
        gettext("Last day"): vip.last_day(membership.entitled_until, membership.time_zone) or "–",
    }
    return told | _agreed(subscription) | _owed(membership) | _moved(membership)


def _agreed(subscription: Subscription) -> dict[str, str]:
    found = Subscription.objects.select_related("price__plan").get(pk=subscription.pk)
    name = found.stripe_id
    return {
        name: found.status,
        f"{name}, {gettext('plan')}": found.price.plan.code if found.price else "–",
        f"{name}, {gettext('ends by itself')}": gettext("yes") if found.ends_by_itself else gettext("no"),
        f"{name}, {gettext('canceled as of')}": vip.moment(found.cancel_at) or "–",
        f"{name}, {gettext('paid period until')}": vip.moment(found.current_period_end) or "–",
    }


def _owed(membership: Membership) -> dict[str, str]:
    told: dict[str, str] = {}
    for invoice in Invoice.objects.filter(membership=membership).order_by("pk"):
        name, currency = invoice.number or invoice.stripe_id, invoice.currency
        told |= {
            name: invoice.status,
            f"{name}, {gettext('total')}": vip.money_exact(invoice.total, currency),
            f"{name}, {gettext('paid')}": vip.money_exact(invoice.amount_paid, currency),
            f"{name}, {gettext('still to be paid')}": vip.money_exact(invoice.amount_due, currency),
            f"{name}, {gettext('what keeps it')}": invoice.trouble or "–",
            f"{name}, {gettext('next try')}": vip.moment(invoice.next_try_at) or "–",
        }
    return told


def _moved(membership: Membership) -> dict[str, str]:
    """What was taken, what went back, and what a bank contests."""
    told = {}
    for taken in Payment.objects.filter(membership=membership):
        told[taken.stripe_id] = vip.money_exact(taken.captured, taken.currency)
        told[f"{taken.stripe_id}, {gettext('gone back')}"] = vip.money_exact(taken.returned, taken.currency)
        told[f"{taken.stripe_id}, {gettext('disputed')}"] = vip.money_exact(taken.disputed, taken.currency)
    for back in Refund.objects.filter(membership=membership):
        told[back.stripe_id or back.decision] = f"{vip.money_exact(back.amount, back.currency)}, {back.state}"
    for contested in Dispute.objects.filter(membership=membership):
        amount = vip.money_exact(contested.amount, contested.currency)
        told[contested.stripe_id] = f"{amount}, {contested.status}"
    return told
