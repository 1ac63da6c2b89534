"""``python -m tests.bench.scale [--accounts N] [--groups N] [--memberships N]``: what licenses cost at scale.

Each deed is worked through by one worker in a process of its own, whose peak memory counts. What it is compared with
are single statements that update as many rows as there are accounts, in the same run.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from typing import NamedTuple

import django

from tests.servers import start, use

HEAD = """
{accounts:,} accounts, {groups:,} groups, {memberships:,} memberships

| What | Accounts | Wall, s | Worker, CPU s | PostgreSQL, CPU s | Statements | Peak memory, MiB |
|---|---|---|---|---|---|---|"""
NARROW = "UPDATE bench_narrow SET granted_type = 1, granted_at = now()"
GRANTS = "UPDATE licensing_licensegrant SET granted_type = granted_type, granted_at = now()"
ACCOUNTS = "UPDATE provisioning_loginaccount SET version = version + 1"
BASELINES = {
    "`UPDATE` of narrow rows": NARROW,
    "`UPDATE` of the grants": GRANTS,
    "`UPDATE` of the accounts": ACCOUNTS,
}


class Work(NamedTuple):
    """What a worker did and took: seconds of wall and CPU time, MiB of memory at its peak."""

    accounts: int
    granted: int
    released: int
    wall: float
    worker: float
    statements: int
    memory: float


def main() -> None:
    """Start private servers, measure on them, remove them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale")
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--groups", type=int, default=2_000)
    parser.add_argument("--memberships", type=int, default=5_000_000)
    options = parser.parse_args()
    servers = start(database="postgresql", source="auto")
    try:
        use(servers.directory, "postgresql", "main")
        os.environ["MFMANAGE_LOG_LEVEL"] = "ERROR"
        django.setup()
        measure(options.accounts, options.groups, options.memberships)
    finally:
        servers.stop()


def measure(accounts: int, groups: int, memberships: int) -> None:
    """Print a table of what happens in a new subscription of that size, and how the first grant compares."""
    from django.core.management import call_command

    from tests.bench import scale_world

    begun = time.perf_counter()
    call_command("migrate", verbosity=0)
    subscription = scale_world.make_world(accounts, groups, memberships)
    print(f"The directory took {time.perf_counter() - begun:.0f} s to fill in.", file=sys.stderr)
    print(HEAD.format(accounts=accounts, groups=groups, memberships=memberships), flush=True)
    taken = {}
    for name, deed in scale_world.deeds(subscription).items():
        deed()
        taken[name] = _work(name, subscription.pk)
    _prepare_narrow()
    for name, statement in BASELINES.items():
        times = taken["First full grant"] / _update(name, statement)
        print(f"The first full grant takes {times:.2f} times as long as this.", file=sys.stderr)


def _work(name: str, subscription_id: int) -> float:
    """Have a worker do what is due; return how many seconds it took."""
    from tests.bench import meters

    postmaster = meters.postmaster()
    before = meters.cpu(postmaster)
    argv = [sys.executable, "-m", "tests.bench.worker", str(subscription_id)]
    work = Work(**json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout))
    time.sleep(meters.REAPED_WITHIN)
    database = meters.cpu(postmaster) - before
    what = f"{name} ({work.granted:,} granted, {work.released:,} released)"
    print(
        f"| {what} | {work.accounts:,} | {work.wall:.2f} | {work.worker:.2f} | {database:.2f} "
        f"| {work.statements:,} | {work.memory:.0f} |",
        flush=True,
    )
    return work.wall


def _prepare_narrow() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bench_narrow AS SELECT id, 0::smallint AS granted_type, NULL::timestamptz AS granted_at "
            "FROM provisioning_loginaccount"
        )
        cursor.execute("ALTER TABLE bench_narrow ADD PRIMARY KEY (id)")
        cursor.execute("VACUUM ANALYZE bench_narrow")


def _update(name: str, statement: str) -> float:
    """Carry out one statement over all rows; return how many seconds it took."""
    from django.db import connection

    from tests.bench import meters

    postmaster = meters.postmaster()
    before, begun = meters.cpu(postmaster), time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.rowcount
    wall, database = time.perf_counter() - begun, meters.cpu(postmaster) - before
    print(f"| {name} | {rows:,} | {wall:.2f} | | {database:.2f} | 1 | |", flush=True)
    return wall


if __name__ == "__main__":
    main()
