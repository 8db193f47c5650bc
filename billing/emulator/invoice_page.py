"""The hosted invoice: what is owed and why, a card form while it is open, a receipt to be printed once it is paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing.emulator import hosted, hosted_invoice, money, store, timeline, words
from billing.emulator.forms import CardForm, filled_in
from billing.emulator.hosted_invoice import KIND, Outcome

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from billing.emulator.hosted_invoice import Result
    from billing.emulator.models import Record

DRAWN = "local_stripe/invoice.html"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invoice(request: HttpRequest, invoice_id: str) -> HttpResponse:
    """The page that `hosted_invoice_url` names."""
    timeline.catch_up()
    found = store.of(KIND, stripe_id=invoice_id).first()
    if found is None or found.data["status"] == "draft":
        return hosted.nothing(request)
    if request.method != "POST" or found.data["status"] != "open":
        return _show(request, found, failed=request.GET.get("failed", ""))
    if "fill" in request.POST:
        return _show(request, found, CardForm(initial=filled_in(request.POST)))
    form = CardForm(request.POST)
    if not form.is_valid():
        return _show(request, found, form)
    return answer(request, hosted_invoice.pay(found.stripe_id, form.typed_card()), form)


def answer(request: HttpRequest, result: Result, form: CardForm | None = None) -> HttpResponse:
    """Where the reader goes after paying, or trying to."""
    if result.outcome is Outcome.AUTHENTICATE and result.intent is not None:
        return redirect("local_stripe:authenticate", intent_id=result.intent.stripe_id)
    if result.outcome is Outcome.DECLINED and form is not None:
        return _show(request, result.invoice, form, result.decline)
    said = {Outcome.PAID: "?paid=1", Outcome.DECLINED: f"?failed={result.decline}"}.get(result.outcome, "")
    return redirect(address(result.invoice) + said)


def address(found: Record) -> str:
    return f"{settings.LOCAL_STRIPE['URL']}/i/{found.stripe_id}"


def _show(request: HttpRequest, found: Record, form: CardForm | None = None, failed: str = "") -> HttpResponse:
    data = found.data
    amount = money.localized(data["amount_remaining"], data["currency"])
    context = {
        "invoice": data,
        "open": data["status"] == "open",
        "currency": data["currency"],
        "off": data["subtotal"] - data["total"],
        "date": words.date(data["effective_at"]),
        "lines": [{**line, "span": _span(line)} for line in data["lines"]["data"]],
        "form": form or CardForm(),
        "amount": amount,
        "failure": words.declined(failed) if failed else "",
        "thanks": "paid" in request.GET and data["status"] == "paid",
        "renews": data["parent"] is not None,
        "test_cards": words.helper_cards(),
        **_receipt(found),
    }
    return hosted.page(request, DRAWN, context)


def _span(line: dict[str, Any]) -> str:
    start, end = line["period"]["start"], line["period"]["end"]
    return words.period(start, end) if end > start else ""


def _receipt(found: Record) -> dict[str, Any]:
    """With which card and when it was paid, and what of it was sent back."""
    paid = found.data["status_transitions"]["paid_at"]
    if found.data["status"] != "paid":
        return {}
    intents = [one.key for one in store.of("invoice_payment", parent=found.stripe_id)]
    paid_by = store.of("charge", parent__in=intents, data__status="succeeded").order_by("-id")
    charges = [one.data for one in paid_by]
    return {
        "paid_on": words.date(paid or found.data["effective_at"]),
        "card": charges[0]["payment_method_details"]["card"] if charges else None,
        "refunded": sum(one["amount_refunded"] for one in charges),
    }
