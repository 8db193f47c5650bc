"""A database that refuses to change a row of the audit or of its seals."""

from typing import Any

POSTGRES = """
CREATE FUNCTION membership_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit is never changed' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER audit_entry_stays BEFORE UPDATE ON membership_auditentry
    FOR EACH ROW EXECUTE FUNCTION membership_audit_stays();
CREATE TRIGGER audit_seal_stays BEFORE UPDATE ON membership_auditseal
    FOR EACH ROW EXECUTE FUNCTION membership_audit_stays();
"""
POSTGRES_BACK = """
DROP TRIGGER audit_entry_stays ON membership_auditentry;
DROP TRIGGER audit_seal_stays ON membership_auditseal;
DROP FUNCTION membership_audit_stays();
"""
SQLITE = [
    f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END"
    for name, table in (("audit_entry_stays", "membership_auditentry"), ("audit_seal_stays", "membership_auditseal"))
]
SQLITE_BACK = ["DROP TRIGGER audit_entry_stays", "DROP TRIGGER audit_seal_stays"]


def put(apps: Any, schema_editor: Any) -> None:
    _run(schema_editor, [POSTGRES] if schema_editor.connection.vendor == "postgresql" else SQLITE)


def take_away(apps: Any, schema_editor: Any) -> None:
    _run(schema_editor, [POSTGRES_BACK] if schema_editor.connection.vendor == "postgresql" else SQLITE_BACK)


def _run(schema_editor: Any, statements: list[str]) -> None:
    for statement in statements:
        schema_editor.execute(statement, params=None)
