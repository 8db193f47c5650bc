"""The audit is sealed minute by minute: what is changed, taken away or put in between is found, and named."""

from __future__ import annotations

import io
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from membership import audit, seals
from membership.models import AuditEntry, AuditSeal
from membership.tasks import seal_audit
from tests.factories import moment
from tests.invariants import breached

AT = moment("2026-03-10T09:00")


def write(*subjects):
    for subject in subjects:
        audit.write(
            actor="staff:1", verb="extend", subject=subject, at=AT, data={"days": 3, "reason": "später – 100 %"}
        )


def found(**options):
    """What `manage.py audit` says, and its exit code."""
    out = io.StringIO()
    try:
        call_command("audit", stdout=out, **options)
    except CommandError as error:
        return out.getvalue().splitlines(), error.returncode
    return out.getvalue().splitlines(), 0


def without_trigger(table, sql):
    """Whoever owns the database may take the trigger away: the seal is for them."""
    postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER" if postgres else "DROP TRIGGER audit_entry_stays")
        cursor.execute(sql)
        if postgres:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture
def sealed(db):
    """Five rows in two seals. -> their keys."""
    write("membership:1", "membership:2", "membership:3")
    assert seals.seal(at=AT) == 3
    write("membership:4", "membership:5")
    assert seals.seal(at=AT) == 2
    assert seals.seal(at=AT) == 0
    return list(AuditEntry.objects.order_by("pk").values_list("pk", flat=True))


def test_what_nobody_touched_verifies_and_the_newest_seal_is_told(sealed):
    last = AuditSeal.objects.last()
    lines, code = found(known=[f"{last.pk}:{last.digest}"])
    assert code == 0
    assert lines[0] == "5 rows, 2 seals, all as they were sealed."
    assert last.digest in lines[1]
    assert breached() == set()


@pytest.mark.parametrize("field", ["actor", "verb", "subject", "at", "data"])
def test_a_changed_row_is_found_by_name(sealed, field):
    pk = sealed[1]
    new = {"at": "'2026-03-10 09:00:00.000001+00:00'", "data": "'{\"days\": 30}'"}.get(field, "'other'")
    without_trigger("membership_auditentry", f"UPDATE membership_auditentry SET {field} = {new} WHERE id = {pk}")
    assert found() == ([f"audit row {pk} was changed after it was sealed"], 1)
    assert breached() == {"I17"}


def test_the_database_refuses_to_change_a_row_or_a_seal(sealed):
    for rows in (AuditEntry.objects.filter(pk=sealed[0]), AuditSeal.objects.all()):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            rows.update(**{"verb": "x"} if rows.model is AuditEntry else {"digest": "x"})


def test_a_row_taken_away_is_found(sealed):
    AuditEntry.objects.filter(pk=sealed[2]).delete()
    assert found() == ([f"audit row {sealed[2]} was taken away"], 1)


def test_a_seal_taken_away_from_the_middle_is_found(sealed):
    AuditSeal.objects.order_by("after")[0].delete()
    lines, code = found()
    assert code == 1
    assert any("is missing" in line for line in lines)


def test_a_row_with_its_seal_made_anew_is_found_by_the_line_of_the_log(sealed, caplog):
    """The twin: without the line from elsewhere the chain looks sound."""
    last = AuditSeal.objects.last()
    known = f"{last.pk}:{last.digest}"
    AuditSeal.objects.all().delete()
    AuditEntry.objects.filter(pk=sealed[-1]).delete()
    with caplog.at_level("INFO", "vip.audit"):
        assert seals.seal(at=AT) == 4
    assert f"audit sealed {AuditSeal.objects.last().pk}:{AuditSeal.objects.last().digest}" in caplog.text
    assert found()[1] == 0
    lines, code = found(known=[known])
    assert (code, len(lines)) == (1, 1)
    assert "made anew" in lines[0]


def test_a_row_that_came_late_is_sealed_with_the_next_and_one_that_comes_far_too_late_is_told(sealed, monkeypatch):
    """As from a transaction that took its number before others, and committed after they had been sealed."""
    gone = sealed[1]
    for row in AuditEntry.objects.filter(pk=gone):
        AuditSeal.objects.all().delete()
        AuditEntry.objects.filter(pk=gone).delete()
        assert seals.seal(at=AT) == 4
        row.save(force_insert=True)
    assert found()[1] == 0
    with monkeypatch.context() as patch:
        patch.setattr(seals, "LOOKED_BACK", 0)
        assert found() == ([f"audit row {gone} was put in between rows that had been sealed"], 1)
    write("membership:6")
    assert seals.seal(at=AT) == 2
    assert found()[1] == 0


def test_the_worker_seals_each_minute(db, clock):
    write("membership:1")
    seal_audit()
    assert AuditSeal.objects.get().sealed_at == clock.now


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_one_chain():
    write(*(f"membership:{n}" for n in range(40)))
    ready, counts = threading.Barrier(4), []

    def work():
        ready.wait()
        try:
            counts.append(seals.seal(at=AT))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sum(counts) == 40
    assert found()[1] == 0
