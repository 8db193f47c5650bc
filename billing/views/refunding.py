"""Changing one's mind: the quote with its working, the confirmation, and what came of it.

Two steps and a receipt, as the withdrawal function of Directive 2011/83/EU, Art. 11a wants them; the second step asks
who is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.decorators import reauthentication_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing import gateway, refund_policy, refund_quotes, refunds
from billing.models import Refund
from billing.views.guards import member_of, member_required
from membership import clock, standing

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from billing.refund_policy import Quote
    from membership.models import Membership


@member_required
@require_GET
def refund(request: HttpRequest) -> HttpResponse:
    """What would be given back now, how it is worked out, and what else happens."""
    membership = standing.own_membership(member_of(request))
    quote = _offer(membership)
    if membership is None or quote is None:
        made = _made(membership)
        return redirect("refund-made", made.pk) if made else render(request, "billing/refund_none.html")
    return render(request, "billing/refund.html", {"membership": membership, "quote": quote})


@member_required
@reauthentication_required  # type: ignore[untyped-decorator]
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """The last question. What is posted is the quote that was read: another amount is shown again, not carried out."""
    membership = standing.own_membership(member_of(request))
    quote = _offer(membership)
    if membership is None or quote is None:
        return redirect("refund")
    context = {"membership": membership, "quote": quote, "member": membership.member, "at": clock.now()}
    if request.method == "POST":
        if request.POST.get("quote") == quote.mark:
            return _carry_out(request, membership, quote)
        context["problem"] = _("The amount has changed meanwhile. Please look at the new one.")
    return render(request, "billing/refund_confirm.html", context, status=409 if "problem" in context else 200)


def _carry_out(request: HttpRequest, membership: Membership, quote: Quote) -> HttpResponse:
    try:
        refunds.ask(
            membership=membership,
            quote=quote,
            effect=Refund.Effect.END_NOW,
            at=clock.now(),
            actor=f"member:{membership.member_id}",
        )
    except gateway.StripeUnavailable:
        pass  # it is decided, and goes on without the member; the page says so
    except (refunds.QuoteChanged, refund_policy.NothingToRefund):
        return redirect("refund-confirm")
    made = _made(membership)
    return redirect("refund-made", made.pk) if made else redirect("refund")


@member_required
@require_GET
def made(request: HttpRequest, pk: int) -> HttpResponse:
    """What came of it. Another member's answers like one that does not exist."""
    found = Refund.objects.filter(membership__member=member_of(request)).select_related("membership")
    first = found.filter(pk=pk).first()
    if first is None:
        raise Http404
    rows = list(found.filter(decision=first.decision).select_related("payment__invoice"))
    states = {row.state for row in rows}
    context = {
        "refund": first,
        "membership": first.membership,
        "rows": rows,
        "amount": sum(row.amount for row in rows),
        "under_way": Refund.State.NOTED in states,
        "trouble": bool(states & {Refund.State.FAILED, Refund.State.CANCELED, Refund.State.REFUSED}),
    }
    return render(request, "billing/refund_made.html", context)


def _offer(membership: Membership | None) -> Quote | None:
    return refund_quotes.offers(membership=membership, at=clock.now()) if membership else None


def _made(membership: Membership | None) -> Refund | None:
    """The refund that ended this membership, or is about to."""
    ours = Refund.objects.filter(membership=membership).exclude(effect=Refund.Effect.MONEY_ONLY)
    return ours.first() if membership else None
