"""A member's customer at Stripe: made once, found again when the answer was lost, adopted when it names a member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from billing import gateway, operations
from billing.models import Customer, Operation
from membership import search
from membership.models import Member, SearchKey

if TYPE_CHECKING:
    from collections.abc import Mapping

KIND = "customer"


def of(member: Member) -> str:
    """The member's customer id at Stripe, made there if need be. Raises StripeUnavailable, StripeRefused."""
    known = Customer.objects.filter(member=member).first()
    if known:
        return known.stripe_id
    params = {
        "email": member.user.email,
        "name": member.name,
        "preferred_locales": [member.user.language],
        "metadata": {"member": str(member.pk)},
    }
    operation = operations.note(key=f"customer:{member.pk}", kind=KIND, params=params, member=member)
    return repeat(operation)


def repeat(operation: Operation) -> str:
    """Make the customer, or what was lost of it: the call under its key, then our row. -> its id at Stripe."""
    made = operation.stripe_id if operation.state == Operation.State.DONE else ""
    made = made or operations.create(gateway.client().v1.customers.create, operation).id
    if operation.member:
        adopt(operation.member, made)
    return made


def look_up(operation: Operation) -> None:
    """Find the customer that was asked for, by our member in its metadata; settles the operation."""
    params: Mapping[str, Any] = operation.params
    found = gateway.read_all(gateway.client().v1.customers.list, {"email": params["email"]})
    ours = [c["id"] for c in found if (c.get("metadata") or {}).get("member") == params["metadata"]["member"]]
    if not ours:
        operations.never_arrived(operation)
        return
    operations.done(operation, stripe_id=ours[-1])
    if operation.member:
        adopt(operation.member, ours[-1])


@transaction.atomic
def adopt(member: Member, stripe_id: str) -> Customer:
    """Remember the member's customer, unless there is one already. -> the one that stands."""
    row, new = Customer.objects.get_or_create(member=member, defaults={"stripe_id": stripe_id})
    if new:
        search.put(member=member, kind=SearchKey.Kind.STRIPE, value=stripe_id)
    return row


def named_by(customer: dict[str, Any]) -> Member | None:
    """The member whom a customer at Stripe names in its metadata."""
    named = (customer.get("metadata") or {}).get("member", "")
    return Member.objects.filter(pk=named).first() if named.isdecimal() else None
