"""``python -m tests.bench [--users N …] [--requests N] [--only WORD]``: measure and print Markdown tables.

CPU time is what the operating system accounts to gunicorn's workers and to PostgreSQL's processes, divided by the
number of requests: it says little about how busy the machine is, and much about the code. The percentiles are of wall
time and say a lot about the machine, which also runs who asks.
"""

import argparse
import os
import sys
import time
from typing import TYPE_CHECKING

import django

from tests.servers import start, use

if TYPE_CHECKING:
    from tests.bench.meters import Figures

HEAD = """
{users:,} users

| Operation | Server, CPU ms | PostgreSQL, CPU ms | Together | Statements | p50 / p95, 1 connection | p50 / p95, 8 |
|---|---|---|---|---|---|---|"""


def main() -> None:
    """Start private servers, measure on them, remove them."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--users", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--only", default="", help="operations that have this in their names")
    options = parser.parse_args()
    servers = start(database="postgresql", source="auto")
    try:
        use(servers.directory, "postgresql", "main")
        os.environ["MFMANAGE_LOG_LEVEL"] = "ERROR"
        os.environ["MFMANAGE_SCIM_RATE"] = os.environ["MFMANAGE_SCIM_BURST"] = "100000"
        django.setup()
        measure(options.users, options.requests, options.only)
    finally:
        servers.stop()


def measure(sizes: list[int], requests: int, only: str) -> None:
    """Print one table per number of users, and by how much each operation grows from the first to the last."""
    from django.core.management import call_command

    from provisioning.services import call_counts

    call_command("migrate", verbosity=0)
    print(f"Ten million additions take {_additions():.2f} s here.")
    tables = [_table(users, requests, only) for users in sizes]
    print("\n| Operation | Growth |\n|---|---|")
    for name, together in tables[-1].items():
        print(f"| {name} | {together / tables[0][name]:.2f} |")
    call_counts.flush()


def _table(users: int, requests: int, only: str) -> dict[str, float]:
    """Measure among so many users; return the CPU milliseconds of each operation."""
    import orjson

    from tests.bench import meters, operations, world

    begun, together = time.perf_counter(), {}
    filled = world.make_world(users)
    print(f"{users:,} users took {time.perf_counter() - begun:.0f} s to fill in.", file=sys.stderr)
    print(HEAD.format(users=users), flush=True)
    with world.serving(workers=2) as (address, pid):
        meter, asked = meters.Meter(address, pid), operations.operations(filled)
        meter.token = orjson.loads(meter.ask(asked["token"](0)))["access_token"]
        for name, request in asked.items():
            if only in name:
                figures = meter.measure(request, requests)
                together[name] = figures.together
                print(_row(name, figures), flush=True)
    return together


def _row(name: str, figures: "Figures") -> str:
    cpu = " | ".join(f"{one:.2f}" for one in (figures.server, figures.database, figures.together))
    waits = " | ".join("{:.1f} / {:.1f}".format(*pair) for pair in (figures.alone, figures.among))
    return f"| {name} | {cpu} | {figures.statements} | {waits} |"


def _additions() -> float:
    """Return what tells one machine from another: seconds of CPU that ten million additions take."""
    begun, total = time.process_time(), 0
    for number in range(10_000_000):
        total += number
    return time.process_time() - begun


if __name__ == "__main__":
    main()
