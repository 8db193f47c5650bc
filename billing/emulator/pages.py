"""The hosted Checkout, and the 3DS step of every hosted page. Plain forms; every one works without JavaScript."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing.emulator import (
    checkout_pay,
    discounts,
    hosted,
    hosted_invoice,
    invoice_page,
    money,
    portal_actions,
    portal_pages,
    portal_sessions,
    quote,
    store,
    timeline,
    words,
)
from billing.emulator.checkout import KIND
from billing.emulator.checkout_pay import Outcome
from billing.emulator.forms import PayForm, filled_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from billing.emulator.models import Record

    Page = Callable[[HttpRequest, Record], HttpResponse]

FIRST = "local_stripe/checkout.html"


def _of_session(page: Page) -> Callable[[HttpRequest, str], HttpResponse]:
    """Finds the session, speaks its language, and sends on who comes too late."""

    @wraps(page)
    def view(request: HttpRequest, session_id: str) -> HttpResponse:
        timeline.catch_up()
        session = store.of(KIND, stripe_id=session_id).first()
        with translation.override(hosted.spoken(session.data["locale"] if session else None)):
            response = _late(request, session) or page(request, session)  # type: ignore[arg-type]
            response.headers["Content-Language"] = translation.get_language() or "en"
            return response

    return view


def _late(request: HttpRequest, session: Record | None) -> HttpResponse | None:
    if session is None:
        return hosted.nothing(request)
    if session.data["status"] == "complete":
        return redirect(success_url(session))
    if session.data["status"] == "expired":
        return hosted.nothing(request, "expired", status=410, back=session.data["cancel_url"])
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
        return _show(request, session, filled=filled_in(request.POST, "email", "terms"))
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
        "test_cards": words.helper_cards(),
        "test_codes": words.test_codes() if session.data["allow_promotion_codes"] else [],
        "seller": settings.LOCAL_STRIPE.get("SELLER", ""),
    }
    return render(request, FIRST, context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def authenticate(request: HttpRequest, intent_id: str) -> HttpResponse:
    """The bank's page: is it really you?"""
    timeline.catch_up()
    intent = store.find(intent_id)
    what_for = store.find(intent.parent) if intent else None
    if intent is None or what_for is None or what_for.kind not in AUTHENTICATED:
        return hosted.nothing(request)
    step = AUTHENTICATED[what_for.kind]
    with translation.override(step.language(what_for)):
        if request.method == "POST":
            return step.finish(request, what_for, "complete" in request.POST)
        asked = intent.data["status"] == "requires_action" and what_for.data.get("status", "open") == "open"
        if not asked:
            return step.back(request, what_for)
        amount = intent.data.get("amount", 0)
        context = {"amount": money.localized(amount, intent.data["currency"]) if amount else ""}
        return hosted.page(request, "local_stripe/authenticate.html", context)


class Step(NamedTuple):
    """What the 3DS step of a page leads back to."""

    finish: Callable[[HttpRequest, Record, bool], HttpResponse]
    back: Callable[[HttpRequest, Record], HttpResponse]  # for who comes when nothing is asked any more
    language: Callable[[Record], str]


def _finish_checkout(request: HttpRequest, session: Record, passed: bool) -> HttpResponse:
    return _answer(request, checkout_pay.authenticate(session.stripe_id, passed=passed))


def _back_to_checkout(request: HttpRequest, session: Record) -> HttpResponse:
    return _late(request, session) or redirect(_address(session))


def _finish_invoice(request: HttpRequest, invoice: Record, passed: bool) -> HttpResponse:
    return invoice_page.answer(request, hosted_invoice.authenticate(invoice.stripe_id, passed=passed))


def _finish_portal(request: HttpRequest, session: Record, passed: bool) -> HttpResponse:
    return portal_pages.answer(request, portal_actions.authenticate(session.stripe_id, passed=passed))


AUTHENTICATED = {
    KIND: Step(_finish_checkout, _back_to_checkout, lambda session: hosted.spoken(session.data["locale"])),
    hosted_invoice.KIND: Step(
        _finish_invoice, lambda _, invoice: redirect(invoice_page.address(invoice)), lambda _: hosted.spoken()
    ),
    portal_sessions.KIND: Step(_finish_portal, portal_pages.back, portal_pages.language),
}
