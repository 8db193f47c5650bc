"""manage.py tick: everything that beat would ring for, once, in process."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from membership import celery


@pytest.fixture
def rung(monkeypatch):
    """Two entries, `broken` and `sound`, in place of the apps' own; which of them were rung."""
    rings: list[str] = []

    @celery.app.task(name="tests.broken")
    def broken() -> None:
        rings.append("broken")
        raise OSError("no disk")

    @celery.app.task(name="tests.sound")
    def sound() -> None:
        rings.append("sound")

    entries = {name: {"task": f"tests.{name}", "schedule": 5} for name in ("broken", "sound")}
    monkeypatch.setattr(celery, "schedule", lambda: entries)
    yield rings
    for name in ("tests.broken", "tests.sound"):
        del celery.app.tasks[name]


def test_one_that_fails_does_not_keep_the_others_from_their_turn(rung, caplog):
    with pytest.raises(CommandError, match="broken"):
        call_command("tick")

    assert rung == ["broken", "sound"]


@pytest.mark.django_db
def test_the_apps_own_work_is_done_however_often_it_runs():
    call_command("tick")
    call_command("tick")
