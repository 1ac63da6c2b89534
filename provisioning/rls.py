"""Row-level security of PostgreSQL: a second line between subscriptions, behind the program's own (decision 25).

Every table of tenants lets a session see and write the rows of its scope only (``provisioning.tenancy``), whoever owns
the table; superusers and roles with ``BYPASSRLS`` are exempt. ``CASE`` costs a plan nothing: PostgreSQL reckons with
half of the rows, and looks at the setting once a statement. For everybody the number is none, because PostgreSQL works
it out all the same where a row that a statement waited for has changed.
"""

from typing import Any, Final

from django.db import connections

from provisioning import tenancy

POLICY: Final = "of_subscription"
_SETTING: Final = f"current_setting('{tenancy.SETTING}', true)"
_PROTECT: Final = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS {policy} ON {table};
CREATE POLICY {policy} ON {table} USING (
CASE WHEN (SELECT {setting}) = '{everybody}' THEN true
ELSE {column} = (SELECT NULLIF(NULLIF({setting}, ''), '{everybody}')::bigint) END)"""
_UNPROTECTED: Final = """
SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
JOIN unnest(%s::text[], %s::text[]) AS wanted (tenants, of) ON tenants = relname AND of = attname
WHERE relnamespace = current_schema()::regnamespace AND NOT (relrowsecurity AND relforcerowsecurity AND EXISTS (
    SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid AND polname = %s))"""


def protect(*, using: str = "default", **_: Any) -> None:
    """Protect the tables of tenants that are not yet; after each run of migrations, so that none can be forgotten."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    tables = tenancy.tables()
    with connection.cursor() as cursor:
        for table in unprotected(using=using):
            texts = {"policy": POLICY, "setting": _SETTING, "everybody": tenancy.EVERYBODY}
            cursor.execute(_PROTECT.format(table=table, column=tables[table], **texts))


def unprotected(*, using: str = "default") -> list[str]:
    """Return the tables of tenants in the database that have no row-level security, or none for their owner."""
    with connections[using].cursor() as cursor:
        tables = tenancy.tables()
        cursor.execute(_UNPROTECTED, [list(tables), list(tables.values()), POLICY])
        return sorted(table for (table,) in cursor.fetchall())
