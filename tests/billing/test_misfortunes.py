"""What goes wrong between two systems: each misfortune ends with the money where it belongs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from billing import gateway, misplaced, nets, operations, sync
from billing.emulator import checkout_pay, faults
from billing.emulator.models import Record
from billing.models import CheckoutSession, Invoice, Operation, Subscription
from membership import clock as product_clock
from membership import lifecycle
from membership.models import AuditEntry, Membership, Term
from tests import factories
from tests.billing.conftest import come_back, go_to_pay, mails, pay
from tests.invariants import breached

pytestmark = pytest.mark.django_db(transaction=True)


def refunded() -> list[int]:
    return [refund.amount for refund in gateway.client().v1.refunds.list({"limit": 10}).data]


class TestAPlanChangedInTheMiddle:
    def test_and_the_first_page_reported_expired_at_once_keeps_the_place(self, visitor):
        go_to_pay(visitor, "gold-year")
        first = CheckoutSession.objects.get()
        expire = "POST /v1/checkout/sessions/{id}/expire"
        real = sync.checkout

        def told_by_webhook() -> None:
            # The worker hears of it before our own call has been answered.
            CheckoutSession.objects.filter(pk=first.pk).update(state="open")
            sync.expired(first)

        with faults.next_call(expire, during=told_by_webhook):
            url = go_to_pay(visitor, "silver-year")
        assert real is sync.checkout
        assert pay(url) is checkout_pay.Outcome.PAID
        come_back(visitor)
        assert Membership.objects.get(status="active").plan.code == "silver-year"
        assert refunded() == []
        assert breached() == set()


class TestAnOlderRead:
    def test_that_folds_late_leaves_the_newer_invoice_as_it_is(self, joined):
        membership = Membership.objects.get()
        subscription = Subscription.objects.get()
        api = gateway.client().v1
        invoices = gateway.read_all(api.invoices.list, {"subscription": subscription.stripe_id})
        for invoice in invoices:
            invoice |= {"status": "open", "amount_paid": 0}
        old = sync.Read(
            subscription=gateway.read(api.subscriptions.retrieve, subscription.stripe_id),
            invoices=invoices,
            began=Invoice.objects.get().read_at - timedelta(minutes=1),
        )
        sync._fold(membership, old, sync.ACTOR)
        assert Invoice.objects.get().status == "paid"
        assert breached() == set()


class TestMoneyAfterTheEnd:
    def test_is_given_back_and_its_subscription_canceled(self, joined, monkeypatch):
        membership = Membership.objects.get()
        lifecycle.end(membership=membership, reason="staff", at=product_clock.now(), actor="staff:1")
        Term.objects.update(source_ref="stripe:il_of_another_time")  # so the invoice reads as a new one
        assert sync.subscription(Subscription.objects.get().stripe_id) is False
        assert refunded() == [11900]
        assert gateway.client().v1.subscriptions.retrieve(Subscription.objects.get().stripe_id).status == "canceled"
        assert len(mails("payment_given_back")) == 1

    def test_cannot_come_from_an_earlier_stay_after_a_rejoin(self, joined, clock):
        first = Subscription.objects.get().stripe_id
        clock.move(days=400)
        pay(go_to_pay(joined))
        come_back(joined)
        assert gateway.client().v1.subscriptions.retrieve(first).status == "canceled"
        assert Membership.objects.filter(status="active").count() == 1


class TestARefundThatIsRefused:
    def test_stays_open_untold_and_is_asked_again(self, joined, ada):
        from tests.billing.test_join import _another_paid_subscription

        second = _another_paid_subscription(ada)
        with faults.next_call("POST /v1/refunds", status=429, times=9), pytest.raises(gateway.StripeUnavailable):
            sync.subscription(second)
        assert (refunded(), mails("payment_given_back")) == ([], [])
        assert {row.params["subscription"] for row in misplaced.unfinished()} == {second}

        nets.give_back_what_is_owed(at=product_clock.now())
        assert refunded() == [11900]
        assert len(mails("payment_given_back")) == 1
        assert not misplaced.unfinished()


class TestMoneyThatCameInTwoPayments:
    def test_is_done_once_both_are_given_back(self, joined, ada):
        from tests.billing.test_join import _another_paid_subscription

        second = _another_paid_subscription(ada)
        (invoice,) = gateway.client().v1.invoices.list({"subscription": second}).data
        Record.objects.filter(kind="invoice_payment").update(parent=invoice.id)
        with (
            faults.next_call("POST /v1/refunds", lost="request", times=0) as later,
            faults.next_call("POST /v1/refunds", during=lambda: setattr(later, "times", 9)),
            pytest.raises(gateway.StripeUnavailable),
        ):
            sync.subscription(second)
        assert (refunded(), mails("payment_given_back")) == ([11900], [])
        assert {row.params["subscription"] for row in misplaced.unfinished()} == {second}

        nets.give_back_what_is_owed(at=product_clock.now())
        assert (refunded(), len(mails("payment_given_back"))) == ([11900, 11900], 1)
        assert not misplaced.unfinished()


class TestACrashBeforeTheLetter:
    def test_leaves_it_to_be_written(self, joined, ada, monkeypatch):
        from tests.billing.test_join import _another_paid_subscription

        def dies(_: Operation) -> None:
            raise KeyboardInterrupt

        second = _another_paid_subscription(ada)
        with monkeypatch.context() as crash:
            crash.setattr(misplaced, "_tell", dies)
            with pytest.raises(KeyboardInterrupt):
                sync.subscription(second)
        assert (refunded(), mails("payment_given_back")) == ([11900], [])

        nets.give_back_what_is_owed(at=product_clock.now())
        assert (refunded(), len(mails("payment_given_back"))) == ([11900], 1)


class TestTheSweep:
    def test_goes_on_behind_one_that_cannot_be_done(self, visitor, monkeypatch):
        go_to_pay(visitor)
        other = Client()
        bob = factories.member("Bob")
        other.force_login(bob.user, "allauth.account.auth_backends.AuthenticationBackend")
        pay(go_to_pay(other, "silver-year"))
        poison = CheckoutSession.objects.order_by("pk").first()
        real = sync.checkout

        def stumbles(session_id: str, **options):
            if session_id == poison.stripe_id:
                raise ZeroDivisionError
            return real(session_id, **options)

        monkeypatch.setattr(sync, "checkout", stumbles)
        nets.look_after_checkouts(at=product_clock.now() + timedelta(minutes=11))
        assert Membership.objects.get(member=bob).status == "active"

    def test_looks_at_an_abandoned_page_less_and_less(self, visitor, clock):
        go_to_pay(visitor)
        for hours in (1, 2):
            clock.move_to(CheckoutSession.objects.get().opened_at + timedelta(hours=hours))
            nets.look_after_checkouts(at=clock.now)
            assert CheckoutSession.objects.get().look_at == clock.now + timedelta(hours=hours)

    def test_frees_the_place_of_a_page_whose_address_was_lost(self, visitor, clock):
        with faults.next_call("POST /v1/checkout/sessions", lost="answer", times=9):
            assert visitor.post("/checkout/gold-year/", {"agree": "on"}).status_code == 503
        nets.look_after_checkouts(at=clock.now + timedelta(minutes=11))
        assert Membership.objects.get().end_reason == "expired"


class TestACancellationAtOnce:
    def test_in_stripes_dashboard_ends_the_expectation_of_a_renewal(self, joined, webhooks):
        gateway.client().v1.subscriptions.cancel(Subscription.objects.get().stripe_id)
        webhooks()
        assert not Membership.objects.get().renewal_expected
        assert "nothing more will be charged" in joined.get("/portal/").content.decode()

    def test_does_not_stand_in_the_way_of_our_own(self, joined):
        gateway.client().v1.subscriptions.cancel(Subscription.objects.get().stripe_id)
        assert joined.post("/portal/cancel/")["Location"] == "/portal/"
        assert not Membership.objects.get().renewal_expected


class TestTheAuditOfLeaving:
    def test_names_the_member(self, joined, ada):
        joined.post("/portal/cancel/")
        assert AuditEntry.objects.get(verb="cancel").actor == f"member:{ada.pk}"


class TestARefusedCall:
    def test_is_asked_anew_once_its_cause_is_mended(self, visitor, ada):
        operation = operations.note(key=f"customer:{ada.pk}", kind="customer", params={"email": "nonsense"})
        Operation.objects.filter(pk=operation.pk).update(state="refused")
        assert pay(go_to_pay(visitor)) is checkout_pay.Outcome.PAID

    def test_tells_the_visitor_nothing_of_stripes_words(self, visitor, monkeypatch):
        def refuses(*_: object) -> None:
            raise gateway.StripeRefused(code="api_key_expired", said="Expired API Key provided: sk_test_********abcd")

        monkeypatch.setattr(operations, "create", refuses)
        answer = visitor.post("/checkout/gold-year/", {"agree": "on"})
        assert answer.status_code == 502
        assert "sk_test" not in answer.content.decode()


class TestTheWayBack:
    def test_says_welcome_once(self, visitor):
        pay(go_to_pay(visitor))
        come_back(visitor)
        assert "Welcome" in visitor.get("/portal/").content.decode()
        come_back(visitor)
        assert "Welcome. Your" not in visitor.get("/portal/").content.decode()

    def test_keeps_the_currency(self, visitor):
        go_to_pay(visitor, currency="USD")
        assert come_back(visitor)["Location"] == "/checkout/gold-year/?currency=USD"

    def test_tells_whose_payment_is_given_back(self, joined, ada):
        CheckoutSession.objects.update(state="returned", stripe_id=CheckoutSession.objects.get().stripe_id)
        turned_away = Subscription.objects.get().stripe_id
        Operation.objects.create(
            key=f"{misplaced.CANCEL}:{turned_away}#1",
            kind=misplaced.CANCEL,
            params={"subscription": turned_away},
            state="done",
            asked_at=product_clock.now(),
        )
        come_back(joined)
        assert "giving it back" in joined.get("/portal/").content.decode()


class TestAnAccountWithoutAPerson:
    @pytest.mark.parametrize("path", ["/checkout/gold-year/", "/portal/invoices/", "/portal/cancel/", "/mend-payment/"])
    def test_is_shown_its_portal(self, on_sale, path):
        client = Client()
        client.force_login(factories.user(), "allauth.account.auth_backends.AuthenticationBackend")
        assert client.get(path)["Location"] == "/portal/"
