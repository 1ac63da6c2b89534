"""The documented roles (docs/database-roles.sql): the owner migrates, and the other one serves and owns nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from psycopg import errors

from provisioning import tenancy
from tests.database_role import SQL

ROOT = Path(__file__).parents[2]
NAME = "documented"
"""What the roles and the database are called here: the tests' superuser has the product's name."""
pytestmark = [pytest.mark.django_db, pytest.mark.postgresql, pytest.mark.processes]


class Server:
    """The tests' server, which lets everybody in who names a role of it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def connect(self, role: str, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(host=self.folder, user=role, dbname=database, autocommit=True)

    def run(self, role: str, *command: str) -> str:
        """Run ``manage.py`` as the role, and return what it prints."""
        url = f"postgres://{role}@/{self.folder}/{NAME}"
        done = subprocess.run(
            [sys.executable, ROOT / "manage.py", *command],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "mfmanage.settings", "MFMANAGE_DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on which the documented statements were carried out, each by the session that psql would have."""
    server = Server(urlsplit(os.environ["MFMANAGE_DATABASE_URL"]).path.rpartition("/")[0].removeprefix("/"))
    superuser = connection.settings_dict["USER"]
    text = SQL.read_text(encoding="utf-8").replace("mfmanage", NAME).replace(":'", "'").partition("\\connect")
    first = [line for line in text[0].splitlines() if not line.startswith(("--", "\\"))]
    second = text[2].partition("\n")[2]
    for database, statements in (("postgres", "\n".join(first)), (NAME, second)):
        with server.connect(superuser, database) as session:
            for statement in filter(str.strip, statements.split(";")):
                session.execute(statement)
    yield server
    with server.connect(superuser, "postgres") as session:
        session.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
        session.execute(f"DROP ROLE {NAME}")
        session.execute(f"DROP ROLE {NAME}_owner")


def test_the_owner_migrates_and_the_other_role_serves_and_sees_its_scope_only(server):
    server.run(f"{NAME}_owner", "migrate", "--no-input", "--verbosity=0")
    for name in ("Contoso", "Fabrikam"):
        server.run(NAME, "createsubscription", name)

    with server.connect(NAME, NAME) as session:
        assert session.execute("SELECT count(*) FROM provisioning_subscription").fetchall() == [(0,)]
        session.execute("SELECT set_config(%s, '*', false)", [tenancy.SETTING])
        found = session.execute("SELECT id, name FROM provisioning_subscription ORDER BY name").fetchall()
        assert [name for _, name in found] == ["Contoso", "Fabrikam"]
        session.execute("SELECT set_config(%s, %s, false)", [tenancy.SETTING, str(found[0][0])])
        assert session.execute("SELECT name FROM provisioning_subscription").fetchall() == [("Contoso",)]
        assert session.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user").fetchall() == [(0,)]
        for forbidden in ("ALTER TABLE provisioning_vault DISABLE ROW LEVEL SECURITY", "CREATE TABLE mine (id int)"):
            with pytest.raises(errors.InsufficientPrivilege):
                session.execute(forbidden)
    with server.connect(f"{NAME}_owner", NAME) as session:
        assert session.execute("SELECT count(*) FROM provisioning_subscription").fetchall() == [(0,)]


def test_a_migration_by_the_owner_reaches_the_rows_of_every_subscription(server):
    """Row-level security holds for the owner, too, who would change no row if ``manage.py`` did not name a scope."""
    owner = f"{NAME}_owner"
    server.run(owner, "migrate", "--no-input", "--verbosity=0")
    for name in ("Contoso", "Fabrikam"):
        server.run(NAME, "createsubscription", name, "--admin", f"root@{name.lower()}.example")
    server.run(owner, "migrate", "provisioning", "0029", "--no-input", "--verbosity=0")

    server.run(owner, "migrate", "--no-input", "--verbosity=0")

    with server.connect(NAME, NAME) as session:
        session.execute("SELECT set_config(%s, '*', false)", [tenancy.SETTING])
        found = session.execute("SELECT role_username_key FROM provisioning_loginaccount ORDER BY 1").fetchall()
    assert found == [("root@contoso.example",), ("root@fabrikam.example",)]
