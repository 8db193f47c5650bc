"""The dashboard: what there is at the local Stripe, newest first, and what can be done to it by hand."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.emulator import clock, dashboard, delivery, disputes, hosted, money, refunds, store, timeline, words
from billing.emulator.dashboard import SUBJECTS
from billing.emulator.errors import StripeError
from billing.emulator.models import Delivery, Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

ROWS, FEW = 25, 10
SUM = re.compile(r"\d{1,9}(\.\d+)?", re.ASCII)
REASONS = ("fraudulent", "product_not_received", "inquiry")


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """How many there are of each, and a way to find one."""
    timeline.catch_up()
    counts = [(one.slug, one.title, store.of(one.kind).count()) for one in SUBJECTS.values()]
    return _page(request, "dashboard", {"counts": counts, "missed": request.GET.get("missed", "")})


@never_cache
@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """Straight to an object by its id, a customer by e-mail, an invoice by number."""
    asked = request.GET.get("q", "").strip()
    found = store.find(asked) if asked else None
    found = found or store.of("customer", data__email__iexact=asked).order_by("-id").first()
    found = found or store.of("invoice", data__number=asked).order_by("-id").first()
    where = dashboard.address(found) if found else ""
    return redirect(where or reverse("local_stripe:dashboard") + "?missed=1")


@never_cache
@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """One kind of object, newest first."""
    timeline.catch_up()
    subject = SUBJECTS.get(slug)
    if subject is None:
        raise Http404
    page, older = _older(request, store.of(subject.kind))
    context = {"table": dashboard.table(subject, page), "title": subject.title, "here": slug, "older": older}
    return _page(request, "dashboard_list", context)


@never_cache
@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """Every event on its way to an endpoint, newest first."""
    page, older = _older(request, Delivery.objects.select_related("event", "endpoint"))
    context = {"deliveries": dashboard.deliveries(page), "here": "deliveries", "older": older}
    return _page(request, "dashboard_deliveries", context)


@never_cache
@require_safe
def clocks(request: HttpRequest) -> HttpResponse:
    """What time it is in the world and on each test clock, and what happens next by itself."""
    timeline.catch_up()
    due = Record.objects.filter(due_at__isnull=False, deleted=False).order_by("due_at", "id")[:FEW]
    context = {
        "here": "clocks",
        "world": words.moment(clock.world()),
        "wall": words.moment(int(clock.wall())),
        "test_clocks": [
            {**one.data, "time": words.moment(one.data["frozen_time"]), "state": dashboard.state(one.data["status"])}
            for one in store.of("test_helpers.test_clock").order_by("-id")
        ],
        "due": [(words.moment(int(one.due_at or 0)), one, dashboard.address(one)) for one in due],
    }
    return _page(request, "dashboard_clocks", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def detail(request: HttpRequest, slug: str, stripe_id: str) -> HttpResponse:
    """One object with what belongs to it. A POST does what its button says."""
    timeline.catch_up()
    subject = SUBJECTS.get(slug)
    if subject is None or not store.of(subject.kind, stripe_id=stripe_id).exists():
        raise Http404
    if request.method != "POST":
        return _detail(request, slug, stripe_id)
    verb = next((name for name in VERBS.get(slug, {}) if name in request.POST), None)
    if verb is None:
        raise Http404
    try:
        VERBS[slug][verb](stripe_id, request)
    except StripeError as error:
        return _detail(request, slug, stripe_id, refused=str(error))
    return redirect(f"{request.path}?done={verb}")


def _refund(stripe_id: str, request: HttpRequest) -> None:
    currency = store.get("charge", stripe_id).data["currency"]
    refunds.of_charge(stripe_id, amount=_minor(request.POST.get("amount", ""), currency))


def _minor(typed: str, currency: str) -> int | None:
    """What was typed, in minor units; None when nothing was. Raises StripeError on what is no sum of money."""
    text = typed.strip().replace(",", ".")
    if not text:
        return None
    places = 0 if currency in money.NO_MINOR_UNIT else 2
    if not SUM.fullmatch(text) or (amount := Decimal(text).scaleb(places)) % 1:
        raise StripeError(_("Type a sum such as 19.00, or nothing for all that is left."))
    return int(amount)


def _dispute(stripe_id: str, request: HttpRequest) -> None:
    reason = request.POST.get("reason", "")
    disputes.open_on(stripe_id, reason=reason if reason in REASONS else "fraudulent")  # type: ignore[arg-type]


VERBS: dict[str, dict[str, Callable[[str, HttpRequest], Any]]] = {
    "charges": {"refund": _refund, "dispute": _dispute},
    "disputes": {
        "win": lambda stripe_id, request: disputes.win(stripe_id),
        "lose": lambda stripe_id, request: disputes.lose(stripe_id),
    },
}


@require_POST
def resend(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Have an event told once more; the process that delivers does it at once."""
    row = Delivery.objects.select_related("event").filter(pk=delivery_id).first()
    if row is None:
        raise Http404
    delivery.send_again(row)
    return redirect(dashboard.address(row.event) + "?done=resend")


def _detail(request: HttpRequest, slug: str, stripe_id: str, refused: str = "") -> HttpResponse:
    subject, record = SUBJECTS[slug], store.get(SUBJECTS[slug].kind, stripe_id)
    table = dashboard.table(subject, [record])
    related = [dashboard.table(SUBJECTS[name], found.order_by("-id")[:FEW]) for name, found in subject.related(record)]
    if slug == "events":
        rows = Delivery.objects.filter(event=record).select_related("event", "endpoint").order_by("-id")
    else:
        rows = Delivery.objects.none()
        related.append(dashboard.table(SUBJECTS["events"], store.of("event", parent=stripe_id).order_by("-id")[:FEW]))
    context = {
        "here": slug,
        "title": subject.title,
        "record": record,
        "facts": list(zip(table.labels, table.rows[0], strict=True)),
        "related": [one for one in related if one.rows],
        "deliveries": dashboard.deliveries(rows),
        "raw": json.dumps(record.data, indent=2, ensure_ascii=False),
        "done": _done(request.GET.get("done", "")),
        "refused": refused,
        "typed": request.POST.get("amount", ""),
        **_possible(slug, record),
    }
    return _page(request, "dashboard_object", context)


def _possible(slug: str, record: Record) -> dict[str, Any]:
    """What can be done to this object now."""
    data = record.data
    if slug == "disputes":
        return {"undecided": data["status"] in disputes.OPEN}
    if slug != "charges" or data["status"] != "succeeded":
        return {}
    left = data["amount"] - data["amount_refunded"]
    return {
        "left": money.localized(left, data["currency"]) if left else "",
        "disputable": bool(left) and not data["disputed"],
        "reasons": REASONS,
    }


def _done(verb: str) -> str:
    return {
        "refund": _("The money is on its way back."),
        "dispute": _("The charge is disputed now."),
        "win": _("The dispute is closed. The seller won."),
        "lose": _("The dispute is closed. The seller lost."),
        "resend": _("The event is being sent again."),
    }.get(verb, "")


def _older(request: HttpRequest, found: QuerySet[Any]) -> tuple[list[Any], str]:
    """A page of rows, newest first, and the query of the page after it."""
    before = request.GET.get("before", "")
    if before.isdecimal():
        found = found.filter(pk__lt=int(before))
    rows = list(found.order_by("-pk")[: ROWS + 1])
    return rows[:ROWS], f"?before={rows[ROWS - 1].pk}" if len(rows) > ROWS else ""


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    known = {"subjects": SUBJECTS.values(), "before": request.GET.get("before", "")}
    return hosted.page(request, f"local_stripe/{name}.html", known | context)
