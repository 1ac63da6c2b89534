"""Own the servers of one test run, and leave nothing behind however that run ends.

A program of its own, run by ``tests/servers.py``: it makes a directory, starts the servers that its one
argument (JSON) asks for, prints one line of JSON and waits. When its standard input closes, because the test
run finished or was killed, it stops the servers and removes the directory.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

START_SECONDS = 30
STOP_SECONDS = 5
UNSAFE_BUT_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class ServerFailed(Exception):
    """A server ended, or was not ready in time; the message holds its last words."""


def guard(wanted: dict[str, Any]) -> None:
    with temporary_directory(wanted["user"]) as directory, contextlib.ExitStack() as servers:
        if wanted["postgres"]:
            servers.enter_context(postgres(Path(wanted["postgres"]), directory, wanted["user"]))
        if wanted["redis"]:
            servers.enter_context(redis(wanted["redis"], directory))
        print(json.dumps({"directory": str(directory)}), flush=True)
        sys.stdin.read()


@contextlib.contextmanager
def temporary_directory(user: str | None) -> Iterator[Path]:
    """A short path (a socket's name has about 100 bytes), in which ``user`` may write."""
    directory = Path(tempfile.mkdtemp(prefix="mfm-", dir="/tmp"))
    try:
        if user:
            shutil.chown(directory, user)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def postgres(programs: Path, directory: Path, user: str | None) -> Iterator[None]:
    """A cluster of its own, reached by the socket in ``directory`` only, as superuser ``mfmanage``."""
    programs = reachable(programs, directory, user)
    data = directory / "postgres"
    initdb: list[str | Path] = [
        programs / "initdb",
        f"--pgdata={data}",
        "--username=mfmanage",
        "--auth=trust",
        "--encoding=UTF8",
    ]
    made = subprocess.run(
        [*initdb, *locale(programs), "--no-sync"],
        check=False,
        capture_output=True,
        text=True,
        user=user,
        cwd=directory,
    )
    if made.returncode:
        raise ServerFailed(made.stderr)
    settings = [
        f"unix_socket_directories={directory}",
        "listen_addresses=",
        "max_connections=200",
        *UNSAFE_BUT_FAST,
    ]
    options = [option for setting in settings for option in ("-c", setting)]
    with running([programs / "postgres", "-D", data, *options], directory, "postgres", user) as (
        server,
        words,
    ):
        wait_until(lambda: "ready to accept connections" in words.read_text(errors="replace"), server, words)
        yield


def locale(programs: Path) -> list[str]:
    """From version 17 PostgreSQL brings C.UTF-8 itself, and needs none of the operating system's locales."""
    version = subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    builtin = int(version.split()[2].split(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz")) >= 17
    return ["--locale-provider=builtin", "--locale=C.UTF-8"] if builtin else ["--locale=C.UTF-8"]


def reachable(programs: Path, directory: Path, user: str | None) -> Path:
    """Return a folder of ``programs`` that ``user`` may run: a copy when they stand in a private folder."""
    with contextlib.suppress(PermissionError):
        subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, user=user, cwd="/")
        return programs
    wheel = programs.parent.parent
    for folder in (wheel, wheel.with_suffix(".libs")):
        if folder.is_dir():
            shutil.copytree(folder, directory / folder.name)
    return directory / wheel.name / programs.relative_to(wheel)


@contextlib.contextmanager
def redis(program: str, directory: Path) -> Iterator[None]:
    """A Redis or Valkey reached by ``redis.sock`` in ``directory`` only, which keeps nothing on disk."""
    socket = directory / "redis.sock"
    options = ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--databases", "64"]
    with running([program, *options], directory, "redis", None) as (server, words):
        wait_until(socket.exists, server, words)
        yield


@contextlib.contextmanager
def running(
    command: list[Any], directory: Path, name: str, user: str | None
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run ``command``; yields its process and the file that gets its words. Afterwards it is stopped."""
    words = directory / f"{name}.log"
    with words.open("wb") as log:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=user, cwd=directory)
    try:
        yield server, words
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_until(ready: Any, server: subprocess.Popen[bytes], words: Path) -> None:
    """Raises ``ServerFailed`` when ``server`` ends or takes longer than ``START_SECONDS``."""
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if server.poll() is not None or time.monotonic() > deadline:
            raise ServerFailed(words.read_text(errors="replace"))
        time.sleep(0.02)


if __name__ == "__main__":
    for unwanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(unwanted, signal.SIG_IGN)
    os.umask(0o022)
    try:
        guard(json.loads(sys.argv[1]))
    except ServerFailed as failure:
        sys.exit(f"A server for the tests did not start:\n{failure}")
