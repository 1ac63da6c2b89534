"""``python -m tests.bench.vaults [--members N]``: what keeping a vault in step costs at scale.

Each deed is worked through by one worker in a process of its own, whose peak memory counts, against an emulated vault
server over HTTP. Then a Celery worker on Redis runs, and what is measured is how long a change of one member takes
from the commit until the vault shows it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import django

from tests.servers import start, use

HEAD = """
A group of {members:,} members

| What | Changed | Wall, s | CPU s: worker | PostgreSQL | vault server | Statements | Calls | Peak memory, MiB |
|---|---|---|---|---|---|---|---|---|"""
CHANGES = 10
LONGEST = 60


class Work(NamedTuple):
    """What a worker did and took: seconds of wall and CPU time, calls of the vault, MiB of memory at its peak."""

    changed: int
    wall: float
    worker: float
    statements: int
    calls: int
    memory: float


def main() -> None:
    """Start private servers, measure on them, remove them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.vaults")
    parser.add_argument("--members", type=int, default=250_000)
    options = parser.parse_args()
    servers = start(database="postgresql", source="auto")
    try:
        use(servers.directory, "postgresql", "main")
        os.environ["MFMANAGE_LOG_LEVEL"] = "ERROR"
        django.setup()
        from tests.bench import vault_world

        with vault_world.vault_server(servers.directory / "vaults.sqlite3") as (url, pid):
            measure(options.members, url, pid)
    finally:
        servers.stop()


def measure(members: int, url: str, server: int) -> None:
    """Print a table of what happens in a new subscription of that size, and how long one change takes."""
    from django.core.management import call_command

    from tests.bench import vault_world

    call_command("migrate", verbosity=0)
    group, vault = vault_world.make_world(members, url)
    print(HEAD.format(members=members), flush=True)
    _run("A new vault", group.subscription_id, server)
    for name, deed in vault_world.deeds(group, vault).items():
        deed()
        _run(name, group.subscription_id, server)
    with celery_worker():
        seconds = list(vault_world.seconds_until_seen(group, vault, changes=CHANGES, longest=LONGEST))
    middle, last = statistics.median(seconds), max(seconds)
    print(f"\nOne change is visible in the vault after {middle:.2f} s (median of {CHANGES}; longest {last:.2f} s).")


def _run(name: str, subscription_id: int, server: int) -> None:
    """Have a worker do what is due, and print a row of the table."""
    from tests.bench import meters

    processes = meters.postmaster(), server
    before = [meters.cpu(pid) for pid in processes]
    argv = [sys.executable, "-m", "tests.bench.vault_worker", str(subscription_id)]
    work = Work(**json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout))
    time.sleep(meters.REAPED_WITHIN)
    database, vault = (meters.cpu(pid) - then for pid, then in zip(processes, before, strict=True))
    print(
        f"| {name} | {work.changed:,} | {work.wall:.2f} | {work.worker:.2f} | {database:.2f} | {vault:.2f} "
        f"| {work.statements:,} | {work.calls:,} | {work.memory:.0f} |",
        flush=True,
    )


@contextmanager
def celery_worker() -> Iterator[None]:
    """Run a worker as in production until the block ends."""
    argv = [sys.executable, "-m", "celery", "-A", "mfmanage.celery", "worker", "--concurrency", "2"]
    with subprocess.Popen([*argv, "--loglevel", "ERROR"], stdout=subprocess.DEVNULL) as worker:
        time.sleep(8)
        try:
            yield
        finally:
            worker.terminate()


if __name__ == "__main__":
    main()
