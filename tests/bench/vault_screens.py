"""``python -m tests.bench.vault_screens [--members N] [--requests N]``: pages about a vault with very many users.

Prints a Markdown table. Each page and piece of a page is asked for as a browser does, in this process, on a private
PostgreSQL and an emulated vault server, whose CPU time is not counted; so are the queries for what is due, and deeds,
which are undone.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from resource import RUSAGE_CHILDREN, getrusage
from typing import TYPE_CHECKING

import django

from tests.servers import start, use

if TYPE_CHECKING:
    from tests.bench.screen_world import World

HEAD = """
A group of {members:,} members, all of them in its vault, {vaults} further vaults, {links} further links

| Page | Server, CPU ms | PostgreSQL, CPU ms | p95, ms | Statements |
|---|---|---|---|---|"""
LONGEST_SECONDS = 6
"""What takes long is measured by fewer requests."""


def main() -> None:
    """Start private servers, measure on them, remove them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.vault_screens")
    parser.add_argument("--members", type=int, default=250_000)
    parser.add_argument("--requests", type=int, default=20)
    options = parser.parse_args()
    servers = start(database="postgresql", source="auto")
    try:
        use(servers.directory, "postgresql", "main")
        os.environ["MFMANAGE_LOG_LEVEL"] = "ERROR"
        django.setup()
        from django.core.management import call_command

        from tests.bench import screen_world, vault_world

        call_command("migrate", verbosity=0)
        data = servers.directory / "vaults.sqlite3"
        with vault_world.vault_server(data) as (url, _):
            measure(screen_world.make_world(options.members, url, data), options.members, options.requests)
    finally:
        servers.stop()


def measure(world: "World", members: int, requests: int) -> None:
    """Print one row for each page, query and deed, and what the command takes."""
    from tests.bench import screen_pages, screen_world

    links = screen_world.VAULTS * screen_world.LINKS_EACH
    print(HEAD.format(members=members, vaults=screen_world.VAULTS, links=links), flush=True)
    for name, page in screen_pages.pages(world).items():
        _row(name, page, requests)
    for name, deed in screen_pages.deeds(world).items():
        _row(name, deed, 1)
    argv = [sys.executable, "manage.py", *screen_pages.dry_run(world)]
    begun = time.perf_counter()
    document = subprocess.run(argv, check=True, capture_output=True).stdout
    taken, memory = time.perf_counter() - begun, getrusage(RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\n`linkgroup --dry-run --json`: {taken:.1f} s, {memory:.0f} MiB at most, {len(document):,} bytes.")


def _row(name: str, page: Callable[[], object], requests: int) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tests.bench import log_world

    with CaptureQueriesContext(connection) as captured:
        page()
    statements = len(captured)
    before, taken, end = log_world.cpu_seconds(), list[float](), time.perf_counter() + LONGEST_SECONDS
    while len(taken) < requests and time.perf_counter() < end:
        begun = time.perf_counter()
        page()
        taken.append((time.perf_counter() - begun) * 1000)
    server, database = (
        1000 * (after - begun) / len(taken) for after, begun in zip(log_world.cpu_seconds(), before, strict=True)
    )
    p95 = statistics.quantiles(taken, n=20)[-1] if len(taken) > 1 else taken[0]
    print(f"| {name} | {server:.0f} | {database:.0f} | {p95:.0f} | {statements} |", flush=True)


if __name__ == "__main__":
    main()
