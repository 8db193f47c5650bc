"""The hosted pages: Checkout, its 3DS step, and the invoice. Plain forms; every one works without JavaScript."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from billing.emulator import checkout_pay, clock, discounts, money, periods, quote, store, timeline, words
from billing.emulator.checkout import KIND
from billing.emulator.checkout_pay import Outcome
from billing.emulator.forms import PayForm

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from billing.emulator.models import Record

    Page = Callable[[HttpRequest, Record], HttpResponse]

FIRST, LAST = "local_stripe/checkout.html", "local_stripe/ended.html"


def _of_session(page: Page) -> Callable[[HttpRequest, str], HttpResponse]:
    """Finds the session, speaks its language, and sends on who comes too late."""

    @wraps(page)
    def view(request: HttpRequest, session_id: str) -> HttpResponse:
        timeline.catch_up()
        session = store.of(KIND, stripe_id=session_id).first()
        with translation.override(_language(session)):
            response = _late(request, session) or page(request, session)  # type: ignore[arg-type]
            response.headers["Content-Language"] = translation.get_language() or "en"
            return response

    return view


def _language(session: Record | None) -> str:
    """The session's locale where there are words for it, else the reader's language."""
    spoken = {code for code, _ in settings.LANGUAGES}
    asked = ((session and session.data["locale"]) or "auto").split("-")[0]
    return asked if asked in spoken else translation.get_language() or "en"


def _late(request: HttpRequest, session: Record | None) -> HttpResponse | None:
    if session is None:
        return render(request, LAST, {"reason": "unknown"}, status=404)
    if session.data["status"] == "complete":
        return redirect(success_url(session))
    if session.data["status"] == "expired":
        return render(request, LAST, {"reason": "expired", "back": session.data["cancel_url"]}, status=410)
    return None


def success_url(session: Record) -> str:
    """Where a paid session sends its customer."""
    url: str = session.data["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session.stripe_id)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_of_session
def checkout(request: HttpRequest, session: Record) -> HttpResponse:
    """The page that takes the money."""
    if request.method != "POST":
        return _show(request, session, failed=request.GET.get("failed", ""))
    if "apply" in request.POST:
        reason = checkout_pay.apply_code(session.stripe_id, request.POST.get("code", ""))
        return _show(request, session, code_refused=reason) if reason else redirect(request.path)
    if "remove" in request.POST:
        checkout_pay.remove_code(session.stripe_id)
        return redirect(request.path)
    if "fill" in request.POST:
        return _show(request, session, filled=_filled(request))
    try:
        form = _form(session, quote.of(session), request.POST)
    except discounts.NotApplicable:
        return redirect(f"{request.path}?failed=price_changed")
    if not form.is_valid():
        return _show(request, session, form=form)
    return _answer(request, checkout_pay.pay(session.stripe_id, form.entry(_known_email(session))), form)


def _answer(request: HttpRequest, result: checkout_pay.Result, form: PayForm | None = None) -> HttpResponse:
    session = result.session
    if result.outcome is Outcome.PAID:
        return redirect(success_url(session))
    if result.outcome is Outcome.AUTHENTICATE:
        return redirect("local_stripe:authenticate", intent_id=session.hidden["intent"])
    if result.outcome is Outcome.DECLINED and form is None:
        return redirect(_address(session) + f"?failed={result.decline}")
    if result.outcome is Outcome.DECLINED:
        return _show(request, session, form=form, failed=result.decline)
    changed = "?failed=price_changed" if result.outcome is Outcome.CHANGED else ""
    return redirect(_address(session) + changed)  # the page says how it stands


def _address(session: Record) -> str:
    return f"{settings.LOCAL_STRIPE['URL']}/c/pay/{session.stripe_id}"


def _quote(session: Record) -> quote.Quote:
    """The price now; a discount that ran out meanwhile is taken off."""
    try:
        return quote.of(session)
    except discounts.NotApplicable:
        checkout_pay.drop_discount(session.stripe_id)
        session.refresh_from_db()
        return quote.of(session)


def _known_email(session: Record) -> str:
    customer = store.find(session.data["customer"] or "")
    return (customer and customer.data["email"]) or session.data["customer_email"] or ""


def _form(session: Record, due: quote.Quote, data: Any = None, initial: Any = None) -> PayForm:
    return PayForm(
        data,
        initial=initial,
        email=_known_email(session),
        collects_card=checkout_pay.collects_card(session, due),
        asks_terms=(session.data["consent_collection"] or {}).get("terms_of_service") == "required",
    )


def _filled(request: HttpRequest) -> dict[str, Any]:
    """What was typed so far, with a test card filled in."""
    typed = {key: request.POST.get(key, "") for key in ("email", "name", "terms")}
    expiry = periods.after(clock.now(), "year", 3)
    filled = {"number": request.POST["fill"], "cvc": "123", "expiry": f"12 / {words.year(expiry)}"}
    return {**typed, "name": typed["name"] or "Test Customer", **filled}


def _show(
    request: HttpRequest,
    session: Record,
    *,
    form: PayForm | None = None,
    filled: dict[str, Any] | None = None,
    failed: str = "",
    code_refused: str = "",
) -> HttpResponse:
    due, currency = _quote(session), session.data["currency"]
    texts = session.data["custom_text"]
    context = {
        "session": session.data,
        "form": form or _form(session, due, initial={"shown": due.due, **(filled or {})}),
        "email": _known_email(session),
        "lines": [
            {"text": line.item["description"], "quantity": line.item["quantity"], "amount": line.amount}
            for line in due.lines
        ],
        "due": due,
        "currency": currency,
        "code": due.code.data["code"] if due.code else "",
        "renewal": words.renewal(session, due),
        "button": words.pay_button(session, due),
        "failure": words.declined(failed) if failed else "",
        "code_failure": words.code_refused(code_refused) if code_refused else "",
        "typed_code": request.POST.get("code", ""),
        "submit_text": (texts["submit"] or {}).get("message", ""),
        "terms_text": (texts["terms_of_service_acceptance"] or {}).get("message", ""),
        "test_cards": words.test_cards(),
        "seller": settings.LOCAL_STRIPE.get("SELLER", ""),
    }
    return render(request, FIRST, context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def authenticate(request: HttpRequest, intent_id: str) -> HttpResponse:
    """The bank's page: is it really you?"""
    intent = store.find(intent_id)
    session = store.of(KIND, stripe_id=intent.parent).first() if intent else None
    if intent is None or session is None:
        return render(request, LAST, {"reason": "unknown"}, status=404)
    with translation.override(_language(session)):
        if request.method == "POST":
            return _answer(request, checkout_pay.authenticate(session.stripe_id, passed="complete" in request.POST))
        late = _late(request, session)
        if late is not None or intent.data["status"] != "requires_action":
            return late or redirect(_address(session))
        amount = money.localized(intent.data.get("amount", 0), session.data["currency"])
        response = render(request, "local_stripe/authenticate.html", {"amount": amount})
        response.headers["Content-Language"] = translation.get_language() or "en"
        return response


@never_cache
@require_safe
def invoice(request: HttpRequest, invoice_id: str) -> HttpResponse:
    """The hosted invoice, fit to be printed."""
    found = store.of("invoice", stripe_id=invoice_id).first()
    if found is None or found.data["status"] == "draft":
        return render(request, LAST, {"reason": "unknown"}, status=404)
    data = found.data
    context = {"invoice": data, "currency": data["currency"], "off": data["subtotal"] - data["total"]}
    return render(request, "local_stripe/invoice.html", {**context, "date": words.date(data["effective_at"])})
