"""The concierge in the portal: what it is, what is left, ask, read, write again, open a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from membership import calendar, clock, standing
from membership.errors import DomainError
from membership.models import Member
from membership.views.pages import member_of
from perks import catalogue, engine, house_uses, lookup, members
from perks.concierge import asking, desk_hours, files
from perks.concierge.forms import AskForm, WriteForm
from perks.kinds import concierge
from perks.models import ConciergeEntry, ConciergeFile, ConciergeRequest, Redemption, TierPerk

if TYPE_CHECKING:
    from datetime import date, datetime

    from django.http import HttpRequest, HttpResponse

READ_BY_MEMBERS = (ConciergeEntry.Kind.QUESTION, ConciergeEntry.Kind.ANSWER)


@dataclass(frozen=True)
class Allowance:
    """How many requests are left of how many. `until`: the last day they can be used on; None: nobody can say yet."""

    left: int
    of: int
    until: date | None


@dataclass(frozen=True)
class Offer:
    """A tier that has a concierge, and what it says of it."""

    tier: str
    words: str


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def requests(request: HttpRequest) -> HttpResponse:
    """What the member asked so far, and the form to ask; who has no concierge reads what it is and how to get one."""
    member, at = member_of(request), clock.now()
    if member is None:
        return _page(request, None, at, None)
    form = AskForm(request, sent=request.method == "POST")
    if request.method == "POST" and form.is_valid():
        try:
            return _asked(request, member, form, at)
        except DomainError as refusal:
            form.add_error(None, gettext(str(refusal)))
            return _page(request, member, at, form, status=refusal.status)
    return _page(request, member, at, form, status=422 if form.is_bound else 200)


def _asked(request: HttpRequest, member: Member, form: AskForm, at: datetime) -> HttpResponse:
    sent = form.cleaned_data
    told = {"subject": sent["subject"], "text": sent["text"], "file": sent["checked"], "once": sent["once"]}
    made = asking.ask(member=member, at=at, **told)
    notes.success(request, gettext("We have your request."))
    return redirect("concierge-request", ident=made.ident)


def _page(
    request: HttpRequest, member: Member | None, at: datetime, form: AskForm | None, *, status: int = 200
) -> HttpResponse:
    decision = house_uses.decide(member=member, wanted=asking.WANTED, at=at) if member else None
    may_ask = decision is not None and decision.allowed
    mine = ConciergeRequest.objects.filter(member=member) if member else ConciergeRequest.objects.none()
    context: dict[str, Any] = {
        "form": form if may_ask or (form is not None and form.is_bound) else None,
        "refusal": "" if decision is None or decision.allowed or decision.reason in ELSEWHERE else decision.message,
        "allowance": allowance(member, at) if member else None,
        "resets_at": decision.resets_at if decision else None,
        "offers": _offers() if decision is None or decision.reason in ELSEWHERE | OVER else [],
        "mend_url": catalogue.link("mend-payment") if decision and decision.reason == "payment_overdue" else "",
        "open": [one for one in mine.order_by("-opened_at", "-pk") if one.closed_at is None],
        "closed": list(mine.exclude(closed_at=None).order_by("-closed_at", "-pk")[:50]),
        "honored": _honored(member, at),
        "hours": desk_hours.words(),
        "zone": desk_hours.other_zone(),
    }
    return render(request, "perks/concierge.html", context, status=status)


ELSEWHERE = frozenset({"not_in_tier", "not_a_member", "unknown_perk"})  # what it is and who has it says more
OVER = frozenset({"membership_lapsed", "membership_ended"})


def _honored(member: Member | None, at: datetime) -> bool:
    membership = standing.current_membership(member, at) if member else None
    return membership is not None and standing.at(membership, at) in standing.HONORED


def _offers() -> list[Offer]:
    """The tiers that have a concierge, the lowest first."""
    carried = TierPerk.objects.filter(perk__kind=concierge.CODE, perk__published=True).order_by("tier__rank")
    return [
        Offer(one.tier.name, members.words(one.perk.kind, one.sold_settings()))
        for one in carried.select_related("tier", "perk")
    ]


def allowance(member: Member, at: datetime) -> Allowance | None:
    """What is left of the member's requests now; None: they have no concierge, or as many requests as they like."""
    found = lookup.by_member(member.pk, at=at)
    facts = found.facts if found else None
    decision = house_uses.decide(member=member, wanted=asking.WANTED, at=at)
    if facts is None or decision is None or decision.uses_left is None or facts.standing(at) not in standing.HONORED:
        return None
    held = facts.held(at).get(decision.perk)
    if held is None:
        return None
    settings = concierge.Settings.model_validate_json(held.settings)
    until = decision.resets_at or facts.entitled_until
    most = engine.most(held, settings, facts.about, at)
    return Allowance(decision.uses_left, most, calendar.last_day(until, facts.zone) if until else None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, ident: str) -> HttpResponse:
    """One request, from the first word on, and room for the next."""
    mine, at = _mine(request, ident), clock.now()
    form = WriteForm(request, sent=request.method == "POST")
    status = 200
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data
        try:
            asking.write(request=mine, text=sent["text"], at=at, file=sent["checked"], once=sent["once"])
        except DomainError as refusal:
            form.add_error(None, gettext(str(refusal)))
            status = refusal.status
        else:
            notes.success(request, gettext("We have your message."))
            return redirect("concierge-request", ident=mine.ident)
    elif form.is_bound:
        status = 422
    entries = mine.entries.filter(kind__in=READ_BY_MEMBERS).select_related("staff", "file")
    context = {
        "request_": mine,
        "entries": entries.defer("file__content"),
        "form": form if asking.goes_on(mine, at) else None,
        "counts": Redemption.objects.filter(pk=mine.use_id, status=Redemption.Status.COMMITTED).exists(),
        "honored": _honored(mine.member, at),
    }
    return render(request, "perks/concierge_request.html", context, status=status)


@login_required
@require_safe
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """A file of the member's own requests; anybody else's is not there. Not one that stands by a note of ours."""
    member = member_of(request)
    shown = {"entry__request__member": member, "entry__kind__in": READ_BY_MEMBERS}
    found = ConciergeFile.objects.filter(pk=pk, **shown).first() if member else None
    if found is None:
        raise Http404
    return files.response(found)


def _mine(request: HttpRequest, ident: str) -> ConciergeRequest:
    member = member_of(request)
    found = ConciergeRequest.objects.filter(ident=ident, member=member) if member else None
    mine = found.select_related("member__user", "use__grant__perk").first() if found is not None else None
    if mine is None:
        raise Http404
    return mine
