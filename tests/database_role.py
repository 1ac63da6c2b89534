"""The role that serves the product on PostgreSQL, as docs/database-roles.sql makes it: it owns nothing."""

from pathlib import Path
from typing import Final

from django.db import connection

APPLICATION: Final = "application"
SQL: Final = Path(__file__).parents[1] / "docs" / "database-roles.sql"
_MAKE: Final = f"""
DO $$ BEGIN CREATE ROLE {APPLICATION}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
GRANT USAGE ON SCHEMA public TO {APPLICATION};
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO {APPLICATION};
GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {APPLICATION};
GRANT SET ON PARAMETER session_replication_role TO {APPLICATION}"""
"""What the documented role may, and to empty tables between tests, append-only ones too."""


def make_role() -> None:
    """Make the role, which all databases of a server share, and let it use the tables of this one."""
    with connection.cursor() as cursor:
        cursor.execute(_MAKE)


def analyze(*tables: str, vacuum: bool = False) -> None:
    """Have PostgreSQL count what is there, which only the tables' owner may ask for."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        cursor.execute(f"{'VACUUM ' * vacuum}ANALYZE {', '.join(tables)}")
        cursor.execute("RESET ROLE")


def become_application() -> None:
    """Have every connection from now on be the application's."""
    connection.settings_dict["OPTIONS"]["options"] += f" -c role={APPLICATION}"
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
