"""An invoice changed by hand: its automatic charge switched on or off, a draft finalized before its hour."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from billing.emulator import clock, events, invoices, store
from billing.emulator.errors import StripeError
from billing.emulator.renewals import ATTEMPT_AFTER, DRAFT_FOR
from billing.emulator.routing import endpoint

if TYPE_CHECKING:
    from billing.emulator.models import Record
    from billing.emulator.wire import Call


@endpoint("POST /v1/invoices/{id}")
def update(call: Call) -> Record:
    """A draft that may advance again has its hour before it; an open invoice is tried at once, by a new schedule."""
    call.supports("auto_advance", "metadata")
    invoice = store.get("invoice", call.id)
    before = copy.deepcopy(invoice.data)
    invoice.data["metadata"] = store.merge_metadata(before["metadata"], call.params.get("metadata"))
    if "auto_advance" in call.params:
        _advance(invoice, advances=call.params["auto_advance"])
    events.updated(invoice, before)
    return invoice


def _advance(invoice: Record, *, advances: bool) -> None:
    status = invoice.data["status"]
    if status not in {"draft", "open"}:
        raise StripeError(f"You can't change auto_advance on a {status} invoice.", param="auto_advance")
    waits = status == "draft"
    if not waits:
        invoice.hidden["tries"] = []
    invoice.data |= {
        "auto_advance": advances,
        "automatically_finalizes_at": clock.now() + DRAFT_FOR if advances and waits else None,
        "next_payment_attempt": clock.now() + (ATTEMPT_AFTER if waits else 0) if advances else None,
    }


@endpoint("POST /v1/invoices/{id}/finalize")
def finalize(call: Call) -> Record:
    """Open, with its number; nobody is charged here, as with `auto_advance` off."""
    call.supports("auto_advance")
    if call.params.get("auto_advance") is not False:
        raise StripeError("Only finalizing with auto_advance=false is supported here.", param="auto_advance")
    invoice = store.get("invoice", call.id)
    if invoice.data["status"] != "draft":
        raise StripeError("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    invoice.data |= {"auto_advance": False, "next_payment_attempt": None}
    invoices.finalize(invoice, customer=store.get("customer", invoice.customer), at=clock.now())
    if invoice.data["amount_due"] == 0:
        invoices.settle(invoice, intent=None, at=clock.now())
    return invoice
