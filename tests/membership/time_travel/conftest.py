"""A small world to move time in: its moments, its bells, a member."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import pytest

from membership import celery, time_travel
from membership import clock as product_clock
from tests import factories


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.VIP_DATA = tmp_path
    return tmp_path


@pytest.fixture
def bells(monkeypatch):
    """bells(often=2.0): only these are rung; the moments at which each of them was."""
    answered: dict[str, list[datetime]] = {}

    def hang(**pauses: float) -> dict[str, list[datetime]]:
        for name in pauses:
            answered[name] = []
            task = lambda name=name: answered[name].append(product_clock.now())  # noqa: E731
            monkeypatch.setitem(celery.app.tasks, f"tests.{name}", task)
        entries = {name: {"task": f"tests.{name}", "schedule": pause} for name, pause in pauses.items()}
        monkeypatch.setattr(celery, "schedule", lambda: entries)
        return answered

    hang()
    return hang


@pytest.fixture
def world(monkeypatch):
    """A module `moments` in place of the apps' own: the moments in `due`, and when each was seen to."""
    seen: list[datetime] = []
    module = SimpleNamespace(due=[], seen=seen, stuck="")

    def settle() -> int:
        reached = [at for at in module.due if at <= product_clock.now() and at not in seen]
        seen.extend(reached)
        return len(reached)

    module.settle = settle
    module.waiting = lambda: module.stuck
    module.next_due = lambda after: min((at for at in module.due if at > after), default=None)
    monkeypatch.setattr(time_travel, "_modules", lambda: [module])
    return module


@pytest.fixture
def joined_gold(clock):
    from membership import lifecycle

    plan = factories.plan("gold-year")
    one = lifecycle.reserve(member=factories.member(), plan=plan, currency="EUR", at=clock.now, actor="system")
    lifecycle.add_term(membership=one, source="paid", source_ref="t", plan=plan, at=clock.now, actor="stripe")
    one.refresh_from_db()
    return one
