"""The rehearsal's people: what each does and when. They act as people do, on our pages and on Stripe's."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client

from billing import gateway
from membership import clock, signup
from membership.models import Member, User

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PLANS = ("bronze-year", "silver-year", "gold-year")
GOOD_CARD, DISPUTED_CARD = "4242424242424242", "4000000000000259"
FAILING_CARD, MENDED_CARD = "pm_card_chargeCustomerFail", "pm_card_visa"
FIRST_NAMES = ("Ada", "Bram", "Cleo", "Dario", "Esme", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Lena")
LAST_NAMES = ("Albrecht", "Baptista", "Castell", "Dahl", "Eriksen", "Fontaine", "Grimaldi", "Hartmann", "Ivers")


@dataclass(frozen=True, order=True)
class Act:
    """`do` is done at `at`; `name` says what, for the report."""

    at: datetime
    name: str = field(compare=False)
    do: Callable[[], object] = field(compare=False)


class Person:
    """One member-to-be with a browser. Every act looks at nothing but its own pages, as a person would."""

    def __init__(self, number: int, dice: random.Random) -> None:
        self.dice = dice
        name = f"{dice.choice(FIRST_NAMES)} {dice.choice(LAST_NAMES)}"
        self.email = f"person{number}@example.com"
        self.user = User.objects.create_user(self.email, None, time_zone=settings.VIP_HOME_ZONE)
        self.member: Member = signup.create_member(user=self.user, name=name, at=clock.now())
        self.card = DISPUTED_CARD if dice.random() < 0.04 else GOOD_CARD
        host = urlsplit(settings.BASE_URL).netloc
        self.browser = Client(headers={"host": host, "accept-language": "en"})
        self.browser.force_login(self.user, BACKEND)

    def life(self, start: datetime, days: int) -> Iterator[Act]:
        """When they do what, between `start` and so many days later."""
        dice = self.dice
        joined = start + timedelta(days=dice.uniform(0, days * 0.6))
        yield Act(joined, "joins", self.joins)

        def sometimes(chance: float, act: Callable[[], object], after: float, before: float) -> Iterator[Act]:
            if dice.random() < chance:
                at = joined + timedelta(days=dice.uniform(after, before))
                yield Act(at, act.__name__.replace("_", " "), act)

        yield from sometimes(0.15, self.upgrades, 5, days)
        yield from sometimes(0.08, self.plans_less, 5, days)
        yield from sometimes(0.22, self.cancels, 1, days)
        yield from sometimes(0.06, self.stays_after_all, 30, days)
        yield from sometimes(0.20, self.card_goes_bad, 1, 700)
        yield from sometimes(0.14, self.mends_the_card, 366, days)
        yield from sometimes(0.04, self.is_given_everything_back, 1, 60)
        yield from sometimes(0.04, self.is_given_something_back, 1, days)
        yield from sometimes(0.30, self.joins, 380, days)
        if self.card == DISPUTED_CARD:
            yield Act(joined + timedelta(days=12), "dispute is decided", self.dispute_is_decided)

    # --- on our pages ----------------------------------------------------------------------------------------------

    def joins(self) -> None:
        """From the review page over Stripe's pay page and, nearly always, back. A member's visit leads nowhere."""
        answer = self.browser.post(f"/checkout/{self.dice.choice(PLANS)}/", {"agree": "on"})
        page = urlsplit(answer.headers.get("Location", "")).path
        if not page.startswith("/stripe/"):
            return
        typed = {"number": self.card, "expiry": "12 / 49", "cvc": "123", "name": self.member.name, "pay": "1"}
        back = urlsplit(self.browser.post(page, typed).headers.get("Location", ""))
        if self.dice.random() < 0.8:
            self.browser.get(f"{back.path}?{back.query}")

    def upgrades(self) -> None:
        """Ask what gold costs now, and take it."""
        quote = self.browser.post("/portal/change-plan/gold-year/quote/").headers.get("Location", "")
        if "/quotes/" in quote:
            self.browser.post(quote)

    def plans_less(self) -> None:
        self.browser.post("/portal/change-plan/bronze-year/")

    def cancels(self) -> None:
        self.browser.post("/portal/cancel/")

    def stays_after_all(self) -> None:
        self.browser.post("/portal/stay/")

    # --- at Stripe -------------------------------------------------------------------------------------------------

    def card_goes_bad(self) -> None:
        self._has_card(FAILING_CARD)

    def mends_the_card(self) -> None:
        self._has_card(MENDED_CARD)
        for invoice in self._invoices(status="open"):
            with contextlib.suppress(gateway.StripeRefused):
                gateway.call(gateway.client().v1.invoices.pay, invoice)

    def is_given_everything_back(self) -> None:
        self._is_refunded(1.0)

    def is_given_something_back(self) -> None:
        self._is_refunded(self.dice.uniform(0.05, 0.6))

    def dispute_is_decided(self) -> None:
        text = f"{self.dice.choice(['winning', 'losing'])}_evidence"
        for charge in self._charges():
            for dispute in gateway.read_all(gateway.client().v1.disputes.list, {"charge": charge["id"]}):
                if dispute["status"] == "needs_response":
                    evidence = {"evidence": {"uncategorized_text": text}, "submit": True}
                    gateway.call(gateway.client().v1.disputes.update, dispute["id"], evidence)

    def _customer(self) -> str:
        customer = getattr(Member.objects.get(pk=self.member.pk), "customer", None)
        return customer.stripe_id if customer else ""

    def _has_card(self, token: str) -> None:
        customer, stripe = self._customer(), gateway.client().v1
        if not customer:
            return
        card = gateway.call(stripe.payment_methods.attach, token, {"customer": customer}).id
        chosen = {"invoice_settings": {"default_payment_method": card}}
        gateway.call(stripe.customers.update, customer, chosen)
        for one in gateway.read_all(stripe.subscriptions.list, {"customer": customer}):
            gateway.call(stripe.subscriptions.update, one["id"], {"default_payment_method": card})

    def _invoices(self, *, status: str) -> list[str]:
        customer = self._customer()
        asked = {"customer": customer, "status": status}
        return [i["id"] for i in gateway.read_all(gateway.client().v1.invoices.list, asked)] if customer else []

    def _charges(self) -> list[dict[str, object]]:
        customer = self._customer()
        return gateway.read_all(gateway.client().v1.charges.list, {"customer": customer}) if customer else []

    def _is_refunded(self, share: float) -> None:
        """Somebody presses the button in Stripe's dashboard, on the newest charge that is whole."""
        whole = [c for c in self._charges() if c["paid"] and not c["amount_refunded"] and not c["disputed"]]
        if whole:
            amount = max(1, int(int(str(whole[0]["amount"])) * share))
            gateway.call(gateway.client().v1.refunds.create, {"charge": whole[0]["id"], "amount": amount})
