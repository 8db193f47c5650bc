"""What the dashboard shows of each kind of object: its columns, what belongs to it, its place in the address.

The words of statuses, reasons and event types are Stripe's own, as the API says them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from billing.emulator import money, store, subscriptions, words
from billing.emulator.models import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import QuerySet
    from django.utils.functional import _StrPromise

    from billing.emulator.models import Record

    People = dict[str, Record]  # customers by id

GOOD = frozenset({"active", "paid", "succeeded", "won", "warning_closed", "delivered", "ready", "trialing"})
BAD = frozenset({"failed", "lost", "past_due", "unpaid", "uncollectible", "incomplete_expired", "needs_response"})


class Cell(NamedTuple):
    """`look` is a class of the style sheet: number, or a state's good, bad, plain."""

    text: str
    href: str = ""
    look: str = ""


@dataclass(frozen=True)
class Subject:
    """One kind of object. `columns` are label and what stands there; the first one leads to the object's page."""

    slug: str
    kind: str
    title: _StrPromise
    columns: tuple[tuple[_StrPromise, Callable[[Record, People], Cell]], ...]
    related: Callable[[Record], Iterable[tuple[str, QuerySet[Record]]]] = lambda record: ()


class Table(NamedTuple):
    title: str
    labels: list[Cell]
    rows: list[list[Cell]]


def table(subject: Subject, records: Iterable[Record]) -> Table:
    """The rows of these objects; customers are looked up once for all."""
    found = list(records)
    people = store.find_many(record.customer for record in found if record.customer)
    rows = [[show(record, people) for _label, show in subject.columns] for record in found]
    for row, record in zip(rows, found, strict=True):
        row[0] = row[0]._replace(href=address(record))
    looks = [cell.look for cell in rows[0]] if rows else [""] * len(subject.columns)
    labels = [
        Cell(str(label), look="number" if look == "number" else "")
        for (label, _show), look in zip(subject.columns, looks, strict=True)
    ]
    return Table(str(subject.title), labels, rows)


def deliveries(found: Iterable[Delivery]) -> list[dict[str, Any]]:
    """Deliveries with what a reader wants to know of them."""
    return [
        {
            "id": row.pk,
            "type": row.event.key,
            "event": address(row.event),
            "url": row.endpoint.data["url"],
            "state": state(row.state),
            "tries": row.tries,
            "answer": row.last_status or row.last_error,
        }
        for row in found
    ]


def address(record: Record) -> str:
    """The page of an object, "" for a kind that has none."""
    subject = BY_KIND.get(record.kind)
    if subject is None:
        return ""
    return reverse("local_stripe:dashboard-object", kwargs={"slug": subject.slug, "stripe_id": record.stripe_id})


def state(word: str) -> Cell:
    return Cell(word, look="good" if word in GOOD else "bad" if word in BAD else "plain")


def _field(name: str) -> Callable[[Record, People], Cell]:
    return lambda record, people: Cell(str(record.data.get(name) or "–"))


def _amount(name: str) -> Callable[[Record, People], Cell]:
    def show(record: Record, people: People) -> Cell:
        amount = record.data[name]
        shown = money.localized(amount, record.data["currency"]) if amount or name != "amount_refunded" else "–"
        return Cell(shown, look="number")

    return show


def _moment(name: str) -> Callable[[Record, People], Cell]:
    return lambda record, people: Cell(words.moment(record.data[name]) if record.data.get(name) else "–")


def _status(record: Record, people: People) -> Cell:
    return state(record.data["status"])


def _customer(record: Record, people: People) -> Cell:
    who = people.get(record.customer)
    return Cell((who.data.get("email") or who.stripe_id) if who else "–", href=address(who) if who else "")


def _charge(record: Record, people: People) -> Cell:
    charge = store.find(record.parent)
    return Cell(record.parent, href=address(charge) if charge else "")


def _charge_status(record: Record, people: People) -> Cell:
    """A charge's status does not say what became of the money later."""
    if record.data["disputed"]:
        return Cell("disputed", look="bad")
    if record.data["refunded"]:
        return Cell("refunded", look="plain")
    if record.data["amount_refunded"]:
        return Cell("partially refunded", look="plain")
    return state(record.data["status"])


def _bought(record: Record, people: People) -> Cell:
    return Cell(words.price(subscriptions.items_of(record)[0]))


def _until(record: Record, people: People) -> Cell:
    return Cell(words.moment(record.data["cancel_at"] or subscriptions.items_of(record)[0]["current_period_end"]))


def _answer_by(record: Record, people: People) -> Cell:
    return Cell(words.moment(record.data["evidence_details"]["due_by"]))


def _of_customer(record: Record) -> Iterable[tuple[str, QuerySet[Record]]]:
    yield from ((slug, store.of(SUBJECTS[slug].kind, customer=record.stripe_id)) for slug in LISTED_OF_A_CUSTOMER)


def _of_invoice(record: Record) -> Iterable[tuple[str, QuerySet[Record]]]:
    intents = [one.key for one in store.of("invoice_payment", parent=record.stripe_id)]
    yield "charges", store.of("charge", parent__in=intents)


def _of_charge(record: Record) -> Iterable[tuple[str, QuerySet[Record]]]:
    yield "refunds", store.of("refund", parent=record.stripe_id)
    yield "disputes", store.of("dispute", parent=record.stripe_id)


def _invoices_of(record: Record) -> Iterable[tuple[str, QuerySet[Record]]]:
    yield "invoices", store.of("invoice", parent=record.stripe_id)


MADE = (_("Made"), _moment("created"))
LISTED_OF_A_CUSTOMER = ("subscriptions", "invoices", "charges")
SUBJECTS = {
    subject.slug: subject
    for subject in (
        Subject(
            "customers",
            "customer",
            _("Customers"),
            ((_("E-mail"), _field("email")), (_("Name"), _field("name")), MADE),
            _of_customer,
        ),
        Subject(
            "subscriptions",
            "subscription",
            _("Subscriptions"),
            ((_("Price"), _bought), (_("Customer"), _customer), (_("Status"), _status), (_("Until"), _until)),
            _invoices_of,
        ),
        Subject(
            "invoices",
            "invoice",
            _("Invoices"),
            (
                (_("Number"), _field("number")),
                (_("Customer"), _customer),
                (_("Total"), _amount("total")),
                (_("Status"), _status),
                (_("Reason"), _field("billing_reason")),
                MADE,
            ),
            _of_invoice,
        ),
        Subject(
            "charges",
            "charge",
            _("Charges"),
            (
                (_("Amount"), _amount("amount")),
                (_("Customer"), _customer),
                (_("Status"), _charge_status),
                (_("Sent back"), _amount("amount_refunded")),
                MADE,
            ),
            _of_charge,
        ),
        Subject(
            "refunds",
            "refund",
            _("Refunds"),
            ((_("Amount"), _amount("amount")), (_("Charge"), _charge), (_("Status"), _status), MADE),
        ),
        Subject(
            "disputes",
            "dispute",
            _("Disputes"),
            (
                (_("Amount"), _amount("amount")),
                (_("Charge"), _charge),
                (_("Reason"), _field("reason")),
                (_("Status"), _status),
                (_("Answer by"), _answer_by),
            ),
        ),
        Subject(
            "events",
            "event",
            _("Events"),
            ((_("Type"), _field("type")), (_("Not delivered yet"), _field("pending_webhooks")), MADE),
        ),
    )
}
BY_KIND = {subject.kind: subject for subject in SUBJECTS.values()}
