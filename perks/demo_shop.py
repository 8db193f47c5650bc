"""The demo's shop: a checkout as a merchant would build it. It knows a member only by calling the API over HTTP.

Demo only. It reads its key where every script does, in demo.json, and shows the request it made and what came back.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from django import forms
from django.conf import settings
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from membership import clock

if TYPE_CHECKING:
    from pathlib import Path

    from django.http import HttpRequest, HttpResponse

SECONDS = 5
EARLY_ACCESS = "early_access"  # as the API names the kind
CURRENCIES = ("EUR", "USD", "JPY", "CHF")


@dataclass(frozen=True)
class Good:
    """Something on the shelf. `price` in cents; yen are shown at 165 to the euro, others one to one."""

    sku: str
    name: Any
    price: int
    category: str
    sale: str | None = None

    def amount(self, currency: str) -> int:
        return round(self.price * 1.65) if currency == "JPY" else self.price


GOODS = (
    Good("COAT-9", _("Loden coat"), 12900, "coats"),
    Good("BOOT-4", _("Walking boots"), 18900, "shoes"),
    Good("SCARF-2", _("Silk scarf"), 3900, "accessories"),
    Good("KNIT-7", _("Merino cardigan (winter sale)"), 5900, "knitwear", "winter-sale"),
)
SHIPPING = {"standard": 495, "express": 1295}
COUNTRIES = (
    ("NL", _("Netherlands")),
    ("DE", _("Germany")),
    ("FR", _("France")),
    ("JP", _("Japan")),
    ("US", _("United States")),
    ("BR", _("Brazil")),
)


class BasketForm(forms.Form):
    """What is in the basket, where it goes, and who the shopper says they are."""

    persona = forms.ChoiceField(label=_("Shop as"), required=False)
    number = forms.CharField(label=_("or with a member number"), required=False, max_length=40)
    country = forms.ChoiceField(label=_("Deliver to"), choices=COUNTRIES, initial="NL")
    method = forms.ChoiceField(
        label=_("Delivery"), choices=(("standard", _("standard")), ("express", _("express"))), initial="standard"
    )
    currency = forms.ChoiceField(label=_("Currency"), choices=[(c, c) for c in CURRENCIES], initial="EUR")

    def __init__(self, data: Any, personas: list[dict[str, Any]]) -> None:
        super().__init__(data)
        choices = [(p["number"], f"{p['name']} ({p['persona']})") for p in personas]
        self.fields["persona"] = forms.ChoiceField(label=_("Shop as"), required=False, choices=choices)
        for good in GOODS:
            self.fields[good.sku] = forms.IntegerField(
                label=good.name, min_value=0, max_value=99, initial=int(good is GOODS[0]), required=False
            )

    def goods(self) -> list[tuple[Good, int, forms.BoundField]]:
        """What is on the shelf, at its price in the currency chosen."""
        return [(good, good.amount(self.shown_in), self[good.sku]) for good in GOODS]

    @property
    def shown_in(self) -> str:
        chosen = self.data.get("currency")
        return chosen if chosen in CURRENCIES else CURRENCIES[0]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("number", "").strip() and not given.get("persona"):
            self.add_error("number", _("Type a member number."))
        return given

    def wanted(self) -> list[Good]:
        """What lies in the basket."""
        return [good for good in GOODS if self.cleaned_data[good.sku]]

    @property
    def member(self) -> str:
        """The number that the shopper gave."""
        return str(self.cleaned_data["number"].strip() or self.cleaned_data["persona"])

    def question(self, goods: list[Good]) -> dict[str, Any]:
        """The perk check for these goods of the basket."""
        given = self.cleaned_data
        shipping = SHIPPING[given["method"]] if goods else 0
        return {
            "member": {"number": self.member},
            "basket": {
                "currency": given["currency"],
                "lines": [_line(good, given[good.sku], given["currency"]) for good in goods],
                "shipping": {
                    "country": given["country"],
                    "method": given["method"],
                    "amount": round(shipping * 1.65) if given["currency"] == "JPY" else shipping,
                },
            },
            "channel": "web",
        }


def _line(good: Good, quantity: int, currency: str) -> dict[str, Any]:
    return {
        "id": good.sku,
        "sku": good.sku,
        "quantity": quantity,
        "unit_amount": good.amount(currency),
        "categories": [good.category],
        "sale": good.sale,
    }


@dataclass(frozen=True)
class Exchange:
    """One call: what was sent, what came back, or why nothing did."""

    line: str
    request: str
    status: int | None
    answer: Any
    trouble: str = ""

    @property
    def shown(self) -> str:
        return json.dumps(self.answer, indent=2, ensure_ascii=False)


@require_safe
def shop(request: HttpRequest) -> HttpResponse:
    """The page. With a basket in the query (the form is a GET: asking changes nothing) it asks the API."""
    demo = _demo_facts()
    data = request.GET if "currency" in request.GET else None
    form = BasketForm(data, demo.get("members", []))
    return render(request, "demo/shop.html", {"form": form, "currency": form.shown_in, **_till(form, demo)})


def _till(form: BasketForm, demo: dict[str, Any]) -> dict[str, Any]:
    """What the till asked and was told. An item whose sale is not open to this shopper yet is not sold to them."""
    if not form.is_valid():
        return {}
    key, goods, calls, closed = demo.get("api_key", ""), form.wanted(), [], []
    if any(good.sale for good in goods):
        sales = _sales(form.member, key)
        opens = _openings(sales) if sales.status == 200 else {}
        calls.append(sales)
        closed = [(good, opens[good.sale]) for good in goods if good.sale in opens]
        goods = [good for good in goods if good.sale not in opens]
    check = _post("/perk-checks", form.question(goods), key)
    answer = check.answer if check.status == 200 else None
    on_sale = any(good.sale for good in goods)
    decisions = [d for d in answer["decisions"] if on_sale or d["kind"] != EARLY_ACCESS] if answer else []
    return {"exchange": check, "calls": [*calls, check], "answer": answer, "decisions": decisions, "closed": closed}


def _sales(member: str, key: str) -> Exchange:
    """The sales and when they open for this member; for the public when nobody has this number."""
    told = _get(f"/sales?{urllib.parse.urlencode({'member': member})}", key)
    return _get("/sales", key) if told.status == 404 else told


def _openings(sales: Exchange) -> dict[str, datetime]:
    """The sales that are not open yet to the shopper they were asked for: code to opening."""
    now = clock.now()
    opens = {s["sale"]: datetime.fromisoformat(s["member_opens_at"] or s["opens_at"]) for s in sales.answer}
    return {sale: at for sale, at in opens.items() if at > now}


def _demo_facts() -> dict[str, Any]:
    path: Path = settings.VIP_DATA / "demo.json"
    try:
        found: dict[str, Any] = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return found


def _get(path: str, key: str) -> Exchange:
    return _ask("GET", path, "", key)


def _post(path: str, question: dict[str, Any], key: str) -> Exchange:
    return _ask("POST", path, json.dumps(question, indent=2, ensure_ascii=False), key)


def _ask(verb: str, path: str, body: str, key: str) -> Exchange:
    """Ask as any shop would: with a key, a language and a timeout."""
    line = f"{verb} /api/v1{path}"
    call = urllib.request.Request(  # noqa: S310 (our own address, from the settings)
        f"{settings.BASE_URL}/api/v1{path}",
        data=body.encode() or None,
        headers={
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Accept-Language": get_language() or "en",
        },
    )
    try:
        with urllib.request.urlopen(call, timeout=SECONDS) as response:  # noqa: S310
            return Exchange(line, body, response.status, orjson.loads(response.read()))
    except urllib.error.HTTPError as error:
        with error:
            return Exchange(line, body, error.code, _told(error.read()))
    except OSError as error:  # refused, timed out, no such host
        return Exchange(line, body, None, {}, str(getattr(error, "reason", error)))


def _told(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except ValueError:
        return {"detail": body[:500].decode(errors="replace")}
    return found if isinstance(found, dict) else {"detail": found}
