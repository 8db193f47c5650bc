"""The rehearsal's people: what one can do. They act as people do: on our pages, on Stripe's, and at staff's desk.

Each act answers whether it could be done. It looks at nothing but pages: a button that is not there is not pressed.
"""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.core.management import CommandError, call_command

from billing import gateway
from billing.rehearsal.browser import Browser
from membership.bootstrap import personas
from membership.models import Member

if TYPE_CHECKING:
    import random

    from billing.rehearsal.till import Till
    from membership.bootstrap.visitor import Page

GOOD, DECLINED, CONFIRMED = "4242424242424242", "4000000000000002", "4000002760003184"
FRAUD, NOT_RECEIVED, INQUIRY = "4000000000000259", "4000000000002685", "4000000000001976"
REFUND_FAILS, REFUND_PENDING = "4000000000005126", "4000000000007726"
FAILING = "pm_card_chargeCustomerFail"  # can be kept, and not charged
PASSWORD = "laurel-and-company"  # noqa: S105  # of people who live for some minutes
FIRST_NAMES = ("Ada", "Bram", "Cleo", "Dario", "Esme", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Lena")
LAST_NAMES = ("Albrecht", "Baptista", "Castell", "Dahl", "Eriksen", "Fontaine", "Grimaldi", "Hartmann", "Ivers")
RETURN_PAGE = "/checkout/return/"


class Person:
    """One member-to-be with a browser, a card and a plan in mind. `till`: the shop's, where they buy things."""

    till: Till

    def __init__(self, number: int, dice: random.Random, *, plan: str, card: str = GOOD) -> None:
        self.dice, self.plan, self.card = dice, plan, card
        self.name = f"{dice.choice(FIRST_NAMES)} {dice.choice(LAST_NAMES)}"
        self.email = f"person{number}@example.com"
        self.browser = Browser(number)
        self.known = False

    # --- on our pages ----------------------------------------------------------------------------------------------

    def joins(self) -> bool:
        """From the review page over Stripe's pay page and, nearly always, back."""
        page = self._pay_page()
        if page is None:
            return False
        self.browser.never = {RETURN_PAGE} if self.dice.random() < 0.2 else set()
        try:
            return not self._types(page, self.card).path.startswith("/stripe/")
        finally:
            self.browser.never = set()

    def looks_and_leaves(self) -> bool:
        """As far as the pay page, and no further."""
        return self._pay_page() is not None

    def joins_at_the_second_try(self) -> bool:
        """The first card is refused on the pay page."""
        page = self._pay_page()
        if page is None:
            return False
        return not self._types(self._types(page, DECLINED), self.card).path.startswith("/stripe/")

    def joins_with_a_good_card(self) -> bool:
        self.card = GOOD
        return self.joins()

    def cancels(self) -> bool:
        return self._presses("/portal/cancel/", "/portal/cancel/")

    def stays_after_all(self) -> bool:
        return self._presses("/portal/", "/portal/stay/")

    def upgrades(self) -> bool:
        """Ask what gold costs now, and take it. Not done where the card is refused: the page stays."""
        quote = self._presses("/portal/change-plan/", "/portal/change-plan/gold-year/quote/")
        page = self.page
        return quote and self._submits(page, to="/portal/change-plan/quotes/") and self.page.path == "/portal/"

    def plans_less(self) -> bool:
        return self._presses("/portal/change-plan/bronze-year/", "/portal/change-plan/bronze-year/")

    def keeps_the_plan(self) -> bool:
        return self._presses("/portal/change-plan/", "/portal/change-plan/keep/")

    def takes_it_back(self) -> bool:
        """The money back, over the page that says how much, the question who is there, and the last question."""
        page = self.browser.open("/portal/refund/")
        if not any(link.endswith("/portal/refund/confirm/") for link in page.links):
            return False
        page = self.browser.open("/portal/refund/confirm/")
        if page.path.startswith("/account/"):
            page = self.browser.submit(page.form("password"), password=PASSWORD)
        return self._submits(page, "quote")

    def gives_another_card(self) -> bool:
        """From the page that says what is wrong, over Stripe's, and back; what is owed is paid with it."""
        self.card = GOOD
        if not self._presses("/mend-payment/", "/mend-payment/card/"):
            return False
        return not self._types(self.page, self.card).path.startswith("/stripe/")

    def pays_the_invoice(self) -> bool:
        """On Stripe's page for the invoice; where the bank asks, with its confirmation."""
        links = [link for link in self.browser.open("/mend-payment/").links if "/stripe/i/" in link]
        if not links:
            return False
        self.card = CONFIRMED if self.card == CONFIRMED else GOOD
        return self._types(self.browser.open(links[0]), self.card).status == 200

    def shops(self) -> bool:
        if self.known:
            self.till.sells(self._member().number, self.dice)
        return self.known

    def sends_something_back(self) -> bool:
        if self.known:
            self.till.takes_back(self._member().number, self.dice)
        return self.known

    def joins_at_the_counter(self) -> bool:
        """In cash, which staff record."""
        self._signs_up()
        self.till.takes_a_year(self._member(), self.plan)
        return True

    def _pay_page(self) -> Page | None:
        """Stripe's page, where the way leads there: a member's visit does not."""
        if not self.known:
            self._signs_up()
        review = next(self._forms(self.browser.open(f"/checkout/{self.plan}/"), "/checkout/"), None)
        if review is None:
            return None
        consents = {name: "on" for name in review.names if name not in review.fields}
        page = self.browser.submit(review, **consents)
        return page if page.path.startswith("/stripe/") else None

    def _signs_up(self) -> None:
        who = personas.Persona("", self.name, self.email, self.plan, PASSWORD)
        personas.confirm_address(self.browser, who, personas.sign_up(self.browser, who))
        self.known = True

    def _types(self, page: Page, number: str) -> Page:
        card = {"number": number, "expiry": "12 / 49", "cvc": "123", "name": self.name}
        page = self.browser.submit(page.form("number"), **card)
        if "/3ds/" in page.path:
            page = self.browser.submit(page.form(), complete="1")
        return page

    def _presses(self, address: str, to: str) -> bool:
        return self._submits(self.browser.open(address), to=to)

    def _submits(self, page: Page, *names: str, to: str = "") -> bool:
        """Press the button of the form with these fields that goes there, if there is one. `page`: where that led."""
        form = next((form for form in self._forms(page, to) if form.has(*names)), None)
        if form is None:
            return False
        self.page = self.browser.submit(form)
        return self.page.status == 200

    def _forms(self, page: Page, to: str) -> Any:
        return (form for form in page.forms if form.method == "post" and form.path.startswith(to))

    # --- at Stripe: what the bank, the card and whoever has its dashboard do ------------------------------------------

    def card_goes_bad(self) -> bool:
        customer, stripe = self._customer(), gateway.client().v1
        if not customer:
            return False
        card = gateway.call(stripe.payment_methods.attach, FAILING, {"customer": customer}).id
        gateway.call(stripe.customers.update, customer, {"invoice_settings": {"default_payment_method": card}})
        for one in self._subscriptions():
            gateway.call(stripe.subscriptions.update, one["id"], {"default_payment_method": card})
        return True

    def cancels_at_stripe(self) -> bool:
        """To the term's end, as the button in the dashboard does."""
        for one in self._subscriptions():
            gateway.call(gateway.client().v1.subscriptions.update, one["id"], {"cancel_at_period_end": True})
        return bool(self._subscriptions())

    def is_given_all_back(self) -> bool:
        return self._is_refunded(1.0)

    def is_given_a_part_back(self) -> bool:
        return self._is_refunded(self.dice.uniform(0.05, 0.6))

    def dispute_is_won(self) -> bool:
        return self._answers_the_bank("winning_evidence")

    def dispute_is_lost(self) -> bool:
        return self._answers_the_bank("losing_evidence")

    def _answers_the_bank(self, text: str) -> bool:
        disputes = gateway.client().v1.disputes
        found = [d for c in self._charges() for d in gateway.read_all(disputes.list, {"charge": c["id"]})]
        waiting = [one for one in found if one["status"].endswith("needs_response")]
        for one in waiting:
            evidence = {"evidence": {"uncategorized_text": text}, "submit": True}
            gateway.call(disputes.update, one["id"], evidence)
        return bool(waiting)

    def _is_refunded(self, share: float) -> bool:
        """The newest charge that is whole, or so much of it."""
        whole = [c for c in self._charges() if c["paid"] and not c["amount_refunded"] and not c["disputed"]]
        if whole:
            amount = max(1, int(whole[0]["amount"] * share))
            gateway.call(gateway.client().v1.refunds.create, {"charge": whole[0]["id"], "amount": amount})
        return bool(whole)

    def _member(self) -> Member:
        return Member.objects.select_related("customer").get(user__email=self.email)

    def _customer(self) -> str:
        customer = getattr(self._member(), "customer", None)
        return customer.stripe_id if customer else ""

    def _subscriptions(self) -> list[dict[str, Any]]:
        customer = self._customer()
        found = gateway.client().v1.subscriptions
        return gateway.read_all(found.list, {"customer": customer}) if customer else []

    def _charges(self) -> list[dict[str, Any]]:
        customer = self._customer()
        return gateway.read_all(gateway.client().v1.charges.list, {"customer": customer}) if customer else []

    # --- at staff's desk --------------------------------------------------------------------------------------------

    def gets_goodwill(self) -> bool:
        amount = f"{self.dice.randint(500, 2000) / 100:.2f}"
        return self._at_the_desk("refund", "--basis=goodwill", f"--amount={amount}", "--reason=late parcel", "--yes")

    def gets_goodwill_and_leaves(self) -> bool:
        said = ("--basis=goodwill", "--amount=15", "--reason=moved abroad", "--end-now", "--yes")
        return self._at_the_desk("refund", *said)

    def gets_free_days(self) -> bool:
        days = str(self.dice.randint(10, 60))
        return self._at_the_desk("membership", "extend", days, "--reason=late parcel", "--yes")

    def is_suspended(self) -> bool:
        return self._at_the_desk("membership", "suspend", "--reason=asks for proof of address")

    def suspension_is_lifted(self) -> bool:
        return self._at_the_desk("membership", "lift", "--reason=proof received")

    def _at_the_desk(self, command: str, *said: str) -> bool:
        """Staff's command about this member. False: it was refused, as it says."""
        verb, rest = (said[:1], said[1:]) if command == "membership" else ((), said)
        with suppress(CommandError):
            call_command(command, *verb, self._member().number, *rest, stdout=io.StringIO())
            return True
        return False
