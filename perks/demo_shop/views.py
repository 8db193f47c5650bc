"""The pages of the demo's shop: storefront, checkout, order. Forms change the visit; pages ask the API and show it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from perks.demo_shop import checkout, goods, visit
from perks.demo_shop.forms import CheckoutForm, ReturnForm, WhoForm
from perks.demo_shop.till import Exchange, Till, facts

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from perks.client.models import SaleOut
    from perks.demo_shop.visit import Order, Visit


@require_safe
def shop(request: HttpRequest) -> HttpResponse:
    """The shelf, with the sale as it stands for this shopper."""
    shopper, demo = visit.of(request), facts()
    till = Till(demo.get("api_key", ""))
    member = till.member(shopper.number) if shopper.number else None
    sales = till.sales(shopper.number)
    opens = checkout.openings(sales or [])
    context = {
        **_frame(shopper, till, demo),
        "member": member,
        "nobody": shopper.number and member is None and till.trouble is None,
        "trouble": till.trouble,
        "sales": [_sale(sale) for sale in sales or []],
        "shelf": [_on_shelf(good, shopper.currency, opens, known=sales is not None) for good in goods.GOODS],
        "orders": [visit.Order(**kept) for kept in shopper.orders],
    }
    return render(request, "demo/shop.html", context)


def _frame(shopper: Visit, till: Till, demo: dict[str, Any]) -> dict[str, Any]:
    """What each page of the shop shows."""
    return {
        "visit": shopper,
        "currency": shopper.currency,
        "who": WhoForm(None, demo.get("members", []), shopper.number),
        "calls": till.newest_first(),
    }


def _sale(told: SaleOut) -> dict[str, Any]:
    """With the tiers in the order in which they get in. `own`: when it opens for this shopper."""
    return {**asdict(told), "own": told.member_opens_at, "first": sorted((at, tier) for tier, at in told.tiers.items())}


def _on_shelf(good: goods.Good, currency: str, opens: dict[str, datetime], *, known: bool) -> dict[str, Any]:
    return {
        "good": good,
        "price": good.amount(currency),
        "before": good.amount_before(currency),
        "opens_at": opens.get(good.sale) if good.sale else None,
        "for_sale": good.sale is None or (known and good.sale not in opens),
    }


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """The visitor says who they are."""
    shopper = visit.of(request)
    form = WhoForm(request.POST, facts().get("members", []))
    if form.is_valid():
        shopper.number = form.chosen
        visit.save(request, shopper)
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    return "demo-shop-basket" if request.POST.get("next") == "basket" else "demo-shop"


@require_POST
def put(request: HttpRequest) -> HttpResponse:
    """One more of something into the basket."""
    shopper, sku = visit.of(request), request.POST.get("sku", "")
    if sku in goods.BY_SKU:
        shopper.put(sku, shopper.basket.get(sku, 0) + 1)
        visit.save(request, shopper)
        messages.success(request, _("%(good)s: in your basket.") % {"good": goods.BY_SKU[sku].name})
    return redirect("demo-shop")


@require_http_methods(["GET", "HEAD", "POST"])
def basket(request: HttpRequest) -> HttpResponse:
    """The checkout. A POST keeps what was changed; with `pay` it places the order, if the sum is still that shown."""
    shopper, demo = visit.of(request), facts()
    form = CheckoutForm(request.POST or None, shopper)
    till = Till(demo.get("api_key", ""))
    if request.method == "POST" and form.is_valid():
        form.apply(request.POST.getlist("services"))
        visit.save(request, shopper)
        return _pay(request, shopper, till) if "pay" in request.POST else redirect("demo-shop-basket")
    asked = checkout.quote(shopper, till) if shopper.basket else None
    context = {**_frame(shopper, till, demo), "form": form, "asked": asked, "guest": not shopper.number}
    return render(request, "demo/basket.html", context)


def _pay(request: HttpRequest, shopper: Visit, till: Till) -> HttpResponse:
    asked = checkout.quote(shopper, till) if shopper.basket else None
    if asked is None or not asked.lines:
        return redirect("demo-shop-basket")
    if request.POST.get("payable") != str(asked.totals.payable):
        messages.warning(request, _("The sum has changed. Please look at it once more."))
        return redirect("demo-shop-basket")
    order = checkout.place(shopper, asked, till)
    if order is None:
        messages.warning(request, _("Something you were promised has just been used up. Please look once more."))
        return redirect("demo-shop-basket")
    visit.save(request, shopper)
    messages.success(request, _("Thank you. Your order is placed."))
    return redirect("demo-shop-order", order.ref)


@require_http_methods(["GET", "HEAD", "POST"])
def order(request: HttpRequest, ref: str) -> HttpResponse:
    """An order, and the way to send goods of it back."""
    shopper, demo = visit.of(request), facts()
    placed = shopper.order(ref)
    if placed is None:
        raise Http404
    form = ReturnForm(request.POST or None, placed)
    if request.method == "POST" and form.is_valid():
        return _take_back(request, shopper, placed, form.pieces(), Till(demo.get("api_key", "")))
    calls = [Exchange(**kept) for kept in reversed(placed.calls)]
    context = {**_frame(shopper, Till(""), demo), "order": placed, "form": form, "calls": calls}
    return render(request, "demo/order.html", {**context, "currency": placed.currency})


def _take_back(request: HttpRequest, shopper: Visit, placed: Order, pieces: dict[str, int], till: Till) -> HttpResponse:
    taken = checkout.take_back(shopper, placed, pieces, till)
    visit.save(request, shopper)
    if till.trouble is not None:
        why = getattr(till.trouble, "detail", str(till.trouble))
        messages.error(request, _("The return was refused: %(why)s") % {"why": why})
    elif taken or any(pieces.values()):
        messages.success(request, _("The goods are back."))
    return redirect("demo-shop-order", placed.ref)
