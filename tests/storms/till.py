"""A till under load: members and a shop's key, their checks at a steady rate, webhooks beside it, and members stopped
meanwhile, each at a moment that is noted."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import stripe

from bench.rig import load, steady
from tests.processes import DJANGO, ROOT, Installation
from tests.storms.crowd import post

SECRET = "whsec_of_the_storm"
# Runs inside the installation: members and a key, then a stop for each line it is told, and the moment of its commit.
STOPPER = (
    DJANGO
    + """
import json, sys, time
from membership import card_token, cards, clock, lifecycle, signup
from membership.models import Card, Membership, Plan, User
from perks import keys

at, held, told = clock.now(), {}, []
plan = Plan.objects.get(code="gold-year")
for n in range(int(sys.argv[1])):
    user = User(email=f"till{n}@example.com", password="!")
    user.save()
    member = signup.create_member(user=user, name="Ada", at=at)
    one = lifecycle.reserve(member=member, plan=plan, currency="EUR", at=at, actor="storm")
    source = dict(source="complimentary", source_ref=f"till:{n}")
    lifecycle.add_term(membership=one, plan=plan, at=at, actor="storm", **source)
    card = cards.issue(member=member, at=at, actor="storm")
    held[n] = (one.pk, card.pk)
    told.append({"number": member.number, "card": card_token.issue(card.pk)})
key = keys.create(shop_name="Storm", scopes=["perks:check"], at=at, actor="storm")
print(json.dumps({"key": key, "members": told}), flush=True)
for line in sys.stdin:
    n, kind = line.split()
    membership, card = held[int(n)]
    about = dict(at=clock.now(), actor="storm")
    if kind == "card":
        cards.revoke(card=Card.objects.get(pk=card), reason=cards.RevokeReason.LOST, **about)
    elif kind == "refund":
        lifecycle.end(membership=Membership.objects.get(pk=membership), reason="refunded", **about)
    else:
        one = Membership.objects.get(pk=membership)
        lifecycle.suspend(membership=one, source=kind, source_ref=f"{kind}:{n}", **about)
    print(time.time(), flush=True)
"""
)
KINDS = ("refund", "dispute", "staff", "card")  # staff: a suspension


@dataclass
class Stop:
    """What a member was stopped by, and when (Unix seconds): begun before, committed at the latest."""

    kind: str
    began: float
    committed: float


@dataclass
class Till:
    """Members, by the order in which they were made, and who of them was stopped."""

    installation: Installation
    count: int
    stops: dict[int, Stop] = field(default_factory=dict)
    events: set[str] = field(default_factory=set)
    refused: list[int] = field(default_factory=list)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        command = [sys.executable, "-c", STOPPER, str(self.count)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=ROOT, env=self.installation.environment, **pipes) as self.inside:
            told = json.loads(self.inside.stdout.readline())
            self.key, self.members = told["key"], told["members"]
            yield
            self.inside.stdin.close()

    def who(self, number: int) -> tuple[int, str]:
        """The n-th check: about which member, and how they are named. Each is asked about by both in turn."""
        return number % self.count, "card" if number // self.count % 2 else "number"

    def requests(self) -> Iterator[bytes]:
        port = self.installation.environment["PORT"]
        line = {"id": "1", "sku": "COAT-9", "quantity": 1, "unit_amount": 12900, "categories": ["coats"]}
        shipping = {"country": "NL", "method": "standard", "amount": 495}
        basket = {"currency": "EUR", "lines": [line], "shipping": shipping}
        for number in itertools.count():
            member, by = self.who(number)
            asked = {"member": {by: self.members[member][by]}, "basket": basket, "perks": ["free-shipping"]}
            request = load.post("/api/v1/perk-checks", json.dumps(asked).encode(), key=self.key)
            yield request.replace(b"Host: localhost", f"Host: localhost:{port}".encode(), 1)

    def ask(self, *, rate: float, seconds: float) -> list[steady.Told]:
        port = int(self.installation.environment["PORT"])
        return steady.run(port, self.requests(), rate=rate, seconds=seconds, connections=32)

    @contextlib.contextmanager
    def meanwhile(self, *, seconds: float, events_a_second: float) -> Iterator[None]:
        """Webhooks come in, and one member after the other is stopped, the first half of the time."""
        over = threading.Event()
        threads = [threading.Thread(target=self._webhooks, args=(over, 4 / events_a_second, n)) for n in range(4)]
        threads.append(threading.Thread(target=self._stop_some, args=(over, seconds / 2)))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def _stop_some(self, over: threading.Event, seconds: float) -> None:
        """Every third member, by each kind of stop in turn."""
        chosen = range(0, self.count, 3)
        for member, kind in zip(chosen, itertools.cycle(KINDS), strict=False):
            if over.wait(seconds / len(chosen)):
                return
            began = time.time()
            self.inside.stdin.write(f"{member} {kind}\n")
            self.inside.stdin.flush()
            self.stops[member] = Stop(kind, began, float(self.inside.stdout.readline()))

    def _webhooks(self, over: threading.Event, pause: float, sender: int) -> None:
        url = f"{self.installation.base_url}/webhooks/stripe/"
        began = time.monotonic()
        for number in itertools.count():
            if over.wait(max(0.0, began + number * pause - time.monotonic())):
                return
            name = f"evt_{sender}_{number}"
            told = {"id": name, "object": "event", "type": "charge.succeeded", "livemode": False}
            body = json.dumps(told | {"data": {"object": {"id": f"ch_{name}", "object": "charge"}}})
            signed = stripe.WebhookSignature.generate_signature_header(body, SECRET)
            status = post(url, body.encode(), {"Content-Type": "application/json", "Stripe-Signature": signed})
            if status == 200:
                self.events.add(name)
            else:
                self.refused.append(status)

    def stale(self, told: list[steady.Told], *, known_within: float) -> list[str]:
        """Yeses to questions that were sent when the stop had been committed for longer than that."""
        found = []
        for answer in told:
            member, by = self.who(answer.number)
            stop = self.stops.get(member)
            if stop is None or (stop.kind == "card" and by != "card"):
                continue
            late = answer.sent - stop.committed
            if late > known_within and _yes(answer):
                found.append(f"{late:.1f} s after its {stop.kind} member {member} was let in by {by}")
        return found

    def denied_wrongly(self, told: list[steady.Told]) -> list[str]:
        """Noes to members who were not stopped, or not yet."""
        found = []
        for answer in told:
            member, by = self.who(answer.number)
            stop = self.stops.get(member)
            untouched = stop is None or (stop.kind == "card" and by != "card")
            if not _yes(answer) and (untouched or answer.sent + answer.took < stop.began):
                found.append(f"member {member}, by {by}: {answer.body[:200]!r}")
        return found

    def asked_after(self, told: list[steady.Told]) -> set[str]:
        """By which kinds members were stopped who were asked about again, a second after it."""
        found = set()
        for answer in told:
            stop = self.stops.get(self.who(answer.number)[0])
            if stop is not None and answer.sent - stop.committed > 1:
                found.add(stop.kind)
        return found


def _yes(answer: steady.Told) -> bool:
    return bool(json.loads(answer.body)["decisions"][0]["allowed"])
