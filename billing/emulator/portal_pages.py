"""The customer portal's pages: what there is, another card, the end and taking it back, invoices, the way back."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing.emulator import hosted, portal_actions, portal_sessions, store, subscriptions, timeline, words
from billing.emulator.forms import CardForm, filled_in
from billing.emulator.portal_actions import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from billing.emulator.models import Record
    from billing.emulator.portal_actions import Result

    Page = Callable[..., HttpResponse]

MOST_INVOICES = 100


def language(session: Record) -> str:
    """The session's locale, else the customer's, else the reader's language."""
    customer = store.get("customer", session.customer)
    return hosted.spoken(session.data["locale"], *customer.data["preferred_locales"])


def _in_session(page: Page) -> Page:
    """Finds the session that the address opens, and speaks its customer's language."""

    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(page)
    def view(request: HttpRequest, token: str, **ids: str) -> HttpResponse:
        timeline.catch_up()
        session = portal_sessions.opened(token)
        if session is None:
            return hosted.nothing(request, "link", status=410)
        with translation.override(language(session)):
            return page(request, session, **ids)

    return view


@_in_session
def home(request: HttpRequest, session: Record) -> HttpResponse:
    """Everything at a glance. A session with a flow leads straight there."""
    flow = session.data["flow"]
    if request.method == "POST" and "resume" in request.POST:
        portal_actions.resume(session.stripe_id, request.POST["resume"])
        return redirect(_home(session) + "?done=resume")
    if flow and not session.hidden.get("flow_done"):
        return redirect(_flow_address(session))
    offers = portal_sessions.features(session)
    found = portal_actions.living(session.customer)
    context = {
        "subscriptions": [_shown(one, offers) for one in found],
        "can_change_card": offers["payment_method_update"]["enabled"],
        "invoices": _invoices(session) if offers["invoice_history"]["enabled"] else None,
        "done": words.portal_done(request.GET.get("done", "")),
    }
    return _page(request, session, "portal", context)


@_in_session
def card(request: HttpRequest, session: Record) -> HttpResponse:
    """Another card for later payments."""
    if not portal_sessions.features(session)["payment_method_update"]["enabled"]:
        return hosted.nothing(request)
    if request.method != "POST":
        return _card(request, session, failed=request.GET.get("failed", ""))
    if "fill" in request.POST:
        return _card(request, session, CardForm(initial=filled_in(request.POST)))
    form = CardForm(request.POST)
    if not form.is_valid():
        return _card(request, session, form)
    return answer(request, portal_actions.change_card(session.stripe_id, form.typed_card()), form)


def answer(request: HttpRequest, result: Result, form: CardForm | None = None) -> HttpResponse:
    """Where the reader goes after typing a card, or after the bank's page."""
    session = result.session
    if result.outcome is Outcome.AUTHENTICATE:
        return redirect("local_stripe:authenticate", intent_id=session.hidden["intent"])
    if result.outcome is Outcome.DONE:
        return _finished(request, session, "card")
    if form is not None:
        return _card(request, session, form, result.decline)
    return redirect(_address("portal-card", session) + f"?failed={result.decline}")


def back(request: HttpRequest, session: Record) -> HttpResponse:
    """For who comes to the bank's page when it asks nothing any more."""
    return redirect(_home(session))


@_in_session
def cancel(request: HttpRequest, session: Record, subscription_id: str) -> HttpResponse:
    """What canceling means, and the button."""
    subscription = portal_actions.of_customer(session, subscription_id)
    feature = portal_sessions.features(session)["subscription_cancel"]
    if subscription is None or not feature["enabled"]:
        return hosted.nothing(request)
    if request.method == "POST":
        feedback = request.POST.get("feedback", "")
        known = feedback in feature["cancellation_reason"]["options"]
        portal_actions.cancel(session.stripe_id, subscription_id, feedback=feedback if known else "")
        return _finished(request, session, "cancel")
    if subscription.data["cancel_at"]:
        return redirect(_home(session))
    reasons = feature["cancellation_reason"]
    context = {
        "subscription": _shown(subscription, portal_sessions.features(session)),
        "meaning": words.cancel_means(subscription, now=feature["mode"] == "immediately"),
        "reasons": words.cancel_reasons(reasons["options"]) if reasons["enabled"] else [],
    }
    return _page(request, session, "portal_cancel", context)


def _finished(request: HttpRequest, session: Record, what: str) -> HttpResponse:
    """Done. A flow says where that leads; without one, to the first page."""
    flow = session.data["flow"]
    if not flow or session.hidden.get("flow_done"):
        return redirect(_home(session) + f"?done={what}")
    session.refresh_from_db()
    session.hidden["flow_done"] = True
    store.save(session)
    afterwards = flow["after_completion"]
    if afterwards["type"] == "redirect":
        return redirect(afterwards["redirect"]["return_url"])
    if afterwards["type"] == "hosted_confirmation":
        message = (afterwards["hosted_confirmation"] or {}).get("custom_message")
        return _page(request, session, "portal_done", {"done": words.portal_done(what), "message": message})
    return redirect(_home(session) + f"?done={what}")


def _card(request: HttpRequest, session: Record, form: CardForm | None = None, failed: str = "") -> HttpResponse:
    context = {
        "form": form or CardForm(),
        "failure": words.card_refused(failed) if failed else "",
        "test_cards": words.helper_cards(later=True),
    }
    return _page(request, session, "portal_card", context)


def _page(request: HttpRequest, session: Record, name: str, context: dict[str, Any]) -> HttpResponse:
    flow = session.data["flow"] and not session.hidden.get("flow_done")
    known = {
        "return_url": session.data["return_url"],
        "home": session.data["return_url"] if flow else _home(session),
        "token": session.key,
    }
    return hosted.page(request, f"local_stripe/{name}.html", known | context)


def _home(session: Record) -> str:
    return _address("portal", session)


def _address(name: str, session: Record, **ids: str) -> str:
    return reverse(f"local_stripe:{name}", kwargs={"token": session.key, **ids})


def _flow_address(session: Record) -> str:
    flow = session.data["flow"]
    if flow["type"] == "payment_method_update":
        return _address("portal-card", session)
    return _address("portal-cancel", session, subscription_id=flow["subscription_cancel"]["subscription"])


def _shown(subscription: Record, offers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    item = subscriptions.items_of(subscription)[0]
    product = store.find(item["price"]["product"])
    method = subscriptions.method_of(subscription)
    canceling = bool(subscription.data["cancel_at"])
    can_cancel = offers["subscription_cancel"]["enabled"]
    return {
        "id": subscription.stripe_id,
        "name": product.data["name"] if product else item["price"]["id"],
        "price": words.price(item),
        "standing": words.standing(subscription),
        "owed": _owed(subscription),
        "card": method.data["card"] if method else None,
        "can_cancel": can_cancel and not canceling,
        "can_resume": can_cancel and canceling,
    }


def _owed(subscription: Record) -> dict[str, Any] | None:
    """The newest open invoice, to be paid on its own page."""
    invoice = store.of("invoice", parent=subscription.stripe_id, data__status="open").order_by("-id").first()
    return invoice.data if invoice else None


def _invoices(session: Record) -> list[dict[str, Any]]:
    found = store.of("invoice", customer=session.customer).exclude(data__status="draft").order_by("-id")
    return [{**one.data, "date": words.date(one.data["effective_at"])} for one in found[:MOST_INVOICES]]
