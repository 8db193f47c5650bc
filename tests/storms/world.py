"""One world of a storm: a programme on sale, one person, the local Stripe, and the post between them.

Everything that happens in a world is forgotten at its end, in both databases, so that ten thousand of them stand on one
set-up. Stripe is spoken to through a client of its own here, never through the product's gateway.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import stripe
from django.db import connections, transaction
from django.test import Client

from billing import inbox
from billing.emulator import cards as test_cards
from billing.emulator import checkout_pay, delivery
from billing.emulator import disputes as emulator_disputes
from billing.emulator.client import InProcessClient
from billing.emulator.models import Delivery
from membership import clock as product_clock
from tests import factories
from tests.storms.conftest import forget_what_processes_remember

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Member
    from tests.moment import Clock

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
GOOD = "4242424242424242"
CLOSED = {"type": "charge.dispute.closed", "limit": 100}


@contextlib.contextmanager
def forgotten() -> Iterator[None]:
    """Savepoints in every database, rolled back at the end.

    They are marked as a test's own: the product refuses to call Stripe inside a transaction of its own making.
    """
    forget_what_processes_remember()
    with contextlib.ExitStack() as stack:
        for alias in connections:
            block = transaction.atomic(using=alias)
            block._from_testcase = True
            stack.enter_context(block)
        yield
        for alias in connections:
            transaction.set_rollback(True, using=alias)


class World:
    """One person from joining on. Acts are named by who does them; none of them delivers an event by itself."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self.clock = clock
        self.rng = random.Random(seed)
        self.stripe = stripe.StripeClient("sk_test_storm", http_client=InProcessClient()).v1
        self.member: Member = factories.member("Ada Lovelace", at=clock.now)
        self.person = Client()
        self.person.force_login(self.member.user, BACKEND)
        self.post = Courier(self.rng)
        self.session = ""  # the visit to the pay page that is under way
        self.nights: list[datetime] = []  # when Stripe's lists were walked to their end

    # --- the person, on our pages ----------------------------------------------------------------------------------

    def joins(self, plan: str, *, number: str = GOOD, comes_back: bool = True) -> bool:
        """Agree, pay on Stripe's page; with `comes_back` the browser returns to our page. -> False: not paid."""
        session = self.agrees(plan)
        paid = bool(session) and self.pays(session, number=number)
        if session and comes_back:
            self.comes_back(session)
        return paid

    def agrees(self, plan: str) -> str:
        """-> the checkout session to pay, "" if there is none."""
        answer = self.person.post(f"/checkout/{plan}/", {"agree": "on"})
        at_stripe = answer.status_code == 302 and "/stripe/" in answer["Location"]
        return urlsplit(answer["Location"]).path.rstrip("/").split("/")[-1] if at_stripe else ""

    def pays(self, session: str, *, number: str = GOOD) -> bool:
        entry = checkout_pay.Entry(self.member.user.email, "Ada", test_cards.by_number(number), (12, 2049))
        return checkout_pay.pay(session, entry).outcome is checkout_pay.Outcome.PAID

    def comes_back(self, session: str) -> None:
        self.person.get("/checkout/return/", {"session_id": session})

    def cancels(self) -> None:
        self.person.post("/portal/cancel/")

    def stays(self) -> None:
        self.person.post("/portal/stay/")

    def upgrades(self, plan: str = "gold-year") -> None:
        """Ask what more costs now, and take exactly that."""
        quote = self.person.post(f"/portal/change-plan/{plan}/quote/").headers.get("Location", "")
        if "/quotes/" in quote:
            self.person.post(quote)

    def plans_less(self, plan: str = "bronze-year") -> None:
        """From the next renewal on."""
        self.person.post(f"/portal/change-plan/{plan}/")

    # --- Stripe's side ---------------------------------------------------------------------------------------------

    def customer(self) -> str:
        """Their id at Stripe, "" before Stripe has heard of them."""
        found = self.stripe.customers.list({"email": self.member.user.email}).data
        return found[0].id if found else ""

    def live(self) -> list[dict[str, Any]]:
        """Their subscriptions that can still charge, newest first."""
        customer = self.customer()
        listed = self.stripe.subscriptions.list({"customer": customer}).data if customer else []
        return [one.to_dict() for one in listed]

    def gets_a_card(self, token: str) -> None:
        """Another card becomes the one that is charged, as in Stripe's portal."""
        customer = self.customer()
        if not customer:
            return
        card = self.stripe.payment_methods.attach(token, {"customer": customer}).id
        self.stripe.customers.update(customer, {"invoice_settings": {"default_payment_method": card}})
        for one in self.live():
            self.stripe.subscriptions.update(one["id"], {"default_payment_method": card})

    def pays_what_is_open(self) -> None:
        customer = self.customer()
        found = self.stripe.invoices.list({"customer": customer, "status": "open"}).data if customer else []
        for invoice in found:
            with contextlib.suppress(stripe.StripeError):
                self.stripe.invoices.pay(invoice.id)

    def cancels_at_stripe(self, *, now: bool = False) -> None:
        for one in self.live():
            if now:
                self.stripe.subscriptions.cancel(one["id"])
            else:
                self.stripe.subscriptions.update(
                    one["id"], {"cancel_at": one["items"]["data"][0]["current_period_end"]}
                )

    def newest_charge(self) -> dict[str, Any] | None:
        """The last charge that took money and is whole: neither given back nor contested."""
        customer = self.customer()
        listed = self.stripe.charges.list({"customer": customer}).data if customer else []
        whole = [c for c in listed if c.paid and not c.amount_refunded and not c.disputed]
        return whole[0].to_dict() if whole else None

    def is_refunded_by_staff(self, share: float = 1.0) -> bool:
        """Somebody presses "Refund" in Stripe's dashboard. -> whether there was anything to give back."""
        charge = self.newest_charge()
        if charge is None:
            return False
        self.stripe.refunds.create({"charge": charge["id"], "amount": max(1, int(charge["amount"] * share))})
        return True

    def disputes_the_charge(self) -> bool:
        charge = self.newest_charge()
        if charge is not None:
            emulator_disputes.open_on(charge["id"])
        return charge is not None

    def is_contested(self) -> bool:
        return any(d.status == "needs_response" for d in self.stripe.disputes.list().data)

    def dispute_is_decided(self, *, won: bool) -> None:
        for dispute in self.stripe.disputes.list().data:
            if dispute.status == "needs_response":
                (emulator_disputes.win if won else emulator_disputes.lose)(dispute.id)

    # --- time and the post -----------------------------------------------------------------------------------------

    def passes(self, **time: float) -> None:
        """Time goes by; Stripe does what was due, at its own moments."""
        self.clock.move(**time)
        self.stripe.customers.list({"limit": 1})  # whoever asks makes Stripe catch up

    def ledger(self) -> dict[str, Any]:
        """All that Stripe has to show of this person, as plain data: what the oracle judges by."""
        customers = [one.to_dict() for one in self.stripe.customers.list({"email": self.member.user.email}).data]
        of = {"customer": customers[0]["id"], "limit": 100} if customers else None

        def listed(service: Any, **more: Any) -> list[dict[str, Any]]:
            return [one.to_dict() for one in service.list({**of, **more}).auto_paging_iter()] if of else []

        return {
            "customers": customers,
            "subscriptions": listed(self.stripe.subscriptions, status="all"),
            "invoices": listed(self.stripe.invoices, expand=["data.payments"]),
            "charges": listed(self.stripe.charges),
            "refunds": [one.to_dict() for one in self.stripe.refunds.list({"limit": 100}).data],
            "disputes": [one.to_dict() for one in self.stripe.disputes.list({"limit": 100}).data],
            "closed": {e.data.object.id: e.created for e in self.stripe.events.list(CLOSED).data},
        }


class Courier:
    """Carries Stripe's events to our door as badly as the world does: out of order, several times, some of them never.

    `loses` is the share of events that never arrive; `copies` the most times one does.
    """

    def __init__(self, rng: random.Random, *, loses: float = 0.3, copies: int = 3) -> None:
        self.rng, self.loses, self.copies = rng, loses, copies
        self.door = Client()

    def round(self) -> int:
        """Some of what waits arrives, the rest later or never; what arrived is worked off. -> how many arrived."""
        rows = self._waiting()
        lost = [row.pk for row in rows if self.rng.random() < self.loses]
        Delivery.objects.filter(pk__in=lost).update(state=Delivery.State.FAILED)
        later = {row.pk for row in rows if self.rng.random() < 0.2}
        arriving = [row for row in rows if row.pk not in lost and row.pk not in later]
        arriving = [row for row in arriving for _ in range(self.rng.randint(1, self.copies))]
        self.rng.shuffle(arriving)
        for row in arriving:
            delivery.deliver(row, self._post)
        inbox.sweep(at=product_clock.now())
        return len(arriving)

    def all(self) -> None:
        """Everything that waits, in order."""
        while rows := self._waiting():
            for row in rows:
                delivery.deliver(row, self._post)
            inbox.sweep(at=product_clock.now())

    def waits(self) -> bool:
        """Whether Stripe has told of anything that has not been carried yet."""
        return bool(self._waiting())

    def _waiting(self) -> list[Delivery]:
        waiting = Delivery.objects.filter(state=Delivery.State.WAITING, tries=0)
        return list(waiting.select_related("event", "endpoint").order_by("id"))

    def _post(self, url: str, body: bytes, headers: dict[str, str], /) -> int:
        kept = {name: value for name, value in headers.items() if name != "Content-Type"}
        answer = self.door.post(urlsplit(url).path, body, content_type="application/json", headers=kept)
        return answer.status_code
