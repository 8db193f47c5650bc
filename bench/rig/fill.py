"""Fill an empty installation for a benchmark: the programme, a shop's key, and gold members. Prints JSON.

    python -m bench.rig.fill SIZE

One member joins by the product's verbs; the others are copied from their rows by the database itself, each with
account, membership, term and entitlement, and with the two grants that the benchmark asks about (a naive endpoint that
reads grants has less to read than it would have).
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import django
from django.core.management import call_command

if TYPE_CHECKING:
    from membership.models import Membership

ASKED_ABOUT = 2_000  # members, spread over all
FIRST = 1_001  # the copies' ids: beyond those of whoever joined
GRANTS = {"free-shipping": 10_000_000, "standing-discount": 20_000_000}  # where the ids of their copies begin


def main(size: int) -> dict[str, Any]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "membership.settings")
    django.setup()

    from membership import clock, numbers
    from perks import keys, programme

    call_command("migrate", verbosity=0)
    at = clock.now()
    programme.load(programme=programme.read("laurel"), at=at)
    held = _one_who_joined(at)
    last = FIRST + size - 1
    _copy(held, last, at)
    key = keys.create(shop_name="Bench", scopes=["perks:check"], at=at, actor="bench")
    asked = range(FIRST, last + 1, max(1, size // ASKED_ABOUT))
    bodies = (f"{i:08d}" for i in asked)
    return {
        "key": key,
        "numbers": [body + numbers.check_digits(body) for body in bodies],
        "until": f"{held.entitled_until:%Y-%m-%dT%H:%M:%SZ}",
        "perks": sorted(held.grants.values_list("perk__code", flat=True).distinct()),
    }


def _one_who_joined(at: Any) -> Membership:
    from membership import lifecycle, signup
    from membership.models import Plan, User

    plan = Plan.objects.get(code="gold-year")
    user = User(email="ada@bench.example", password="!")  # noqa: S106
    user.save()
    member = signup.create_member(user=user, name="Ada Lovelace", at=at)
    held = lifecycle.reserve(member=member, plan=plan, currency="EUR", at=at, actor="bench")
    lifecycle.add_term(membership=held, source="paid", source_ref="bench", plan=plan, at=at, actor="bench")
    held.refresh_from_db()
    return held


def _copy(held: Membership, last: int, at: Any) -> None:
    from django.db import connection, transaction

    from bench.rig import crowd
    from perks.models import Entitlement

    # Check digits as membership.numbers has them; the copies' numbers begin with 0, which those who join never get.
    number = "n.i * 100 + 98 - (n.i * 100) % 97"
    postgres = connection.vendor == "postgresql"
    text = f"lpad(CAST({number} AS text), 10, '0')" if postgres else f"printf('%010d', {number})"
    crowd.hurry()
    with transaction.atomic():
        member = held.member
        crowd.many(member.user, FIRST, last, email=crowd.named("member") + " || '@bench.example'")
        crowd.many(member, FIRST, last, user_id="n.i", number=text)
        crowd.many(held, FIRST, last, member_id="n.i")
        crowd.many(held.terms.get(), FIRST, last, membership_id="n.i", source_ref=crowd.named("bench:"))
        for code, ids in GRANTS.items():
            grant = held.grants.get(perk__code=code, term__isnull=False)
            crowd.many(grant, FIRST, last, id=f"{ids} + n.i", membership_id="n.i", term_id="n.i")
        crowd.many(Entitlement.objects.get(member=member), FIRST, last, number=text)
    crowd.settle()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]))))
