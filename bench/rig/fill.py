"""Fill an empty installation for a benchmark: the programme, a shop's key, gold members who joined. Prints JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import django
from django.core.management import call_command


def main(count: int) -> dict[str, Any]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "membership.settings")
    django.setup()
    from django.db import transaction

    from membership import clock, lifecycle, signup
    from membership.models import Membership, Plan, User
    from perks import keys, programme

    call_command("migrate", verbosity=0)
    at = clock.now()
    programme.load(programme=programme.read("laurel"), at=at)
    plan = Plan.objects.get(code="gold-year")
    numbers = []
    with transaction.atomic():
        for n in range(count):
            user = User(email=f"member{n}@bench.example", password="!")  # noqa: S106
            user.save()
            member = signup.create_member(user=user, name="Ada Lovelace", at=at)
            held = lifecycle.reserve(member=member, plan=plan, currency="EUR", at=at, actor="bench")
            lifecycle.add_term(membership=held, source="paid", source_ref=f"bench:{n}", plan=plan, at=at, actor="bench")
            numbers.append(member.number)
    key = keys.create(shop_name="Bench", scopes=["perks:check"], at=at, actor="bench")
    until = Membership.objects.latest("pk").entitled_until
    return {"key": key, "numbers": numbers, "until": f"{until:%Y-%m-%dT%H:%M:%SZ}" if until else ""}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]))))
