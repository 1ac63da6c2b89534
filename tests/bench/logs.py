"""``python -m tests.bench.logs [--rows N] [--requests N]``: the log's pages, in milliseconds, as a Markdown table.

Each page is asked for as a browser does, with session, role and template, in this process, on a private PostgreSQL.
"""

import argparse
import os
import statistics
import sys
import time

import django

from tests.servers import start, use

FILTERS = {
    "Newest": "",
    "A later page": "page={middle}",
    "Failed": "result=failed",
    "Succeeded": "result=succeeded",
    "Operation that is common": "operation=update",
    "Operation that is rare": "operation=delete",
    "Operation that never was": "operation=replace",
    "Groups": "type=Group",
    "Configuration, busy": "configuration={busy}",
    "Configuration, quiet": "configuration={quiet}",
    "Configuration and failed": "configuration={quiet}&result=failed",
    "One day of the past": "first_day={day}&last_day={day}",
    "One day of the past, failed": "first_day={day}&last_day={day}&result=failed",
    "One user": "resource={resource}",
    "Part of a name, many": "q=user1",
    "Part of a name, one": "q=user777777%40",
    "Text that is nowhere": "q=nowhere",
    "A request ID": "q={request}",
    "Everything at once": "q=nowhere&configuration={busy}&result=failed&operation=update&type=User&first_day={day}",
}


def main() -> None:
    """Start a private server, fill the log, measure, remove all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.logs")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--explain", action="store_true", help="print the plans too")
    options = parser.parse_args()
    servers = start(database="postgresql", source="auto")
    try:
        use(servers.directory, "postgresql", "main")
        os.environ["MFMANAGE_LOG_LEVEL"] = "ERROR"
        django.setup()
        measure(options.rows, options.requests, explain=options.explain)
    finally:
        servers.stop()


def measure(rows: int, requests: int, *, explain: bool) -> None:
    """Print one row per filter: CPU time of a page in this process and in PostgreSQL, how long it took, statements."""
    from tests.bench import log_world

    print(f"filling the log with {rows:,} rows …", file=sys.stderr)
    world = log_world.make_world(rows)
    print("| Page | Server, CPU ms | PostgreSQL, CPU ms | p50, ms | p95, ms | Statements |\n|---|---|---|---|---|---|")
    for name, query in FILTERS.items():
        url = f"{world.url}?{query.format(**world.parts)}"
        _seconds(world.client, url)
        before = log_world.cpu_seconds()
        taken = [_seconds(world.client, url) * 1000 for _ in range(requests)]
        server, database = (
            1000 * (after - begun) / requests for after, begun in zip(log_world.cpu_seconds(), before, strict=True)
        )
        statements, plans = log_world.statements(world.client, url, explain=explain)
        p50, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
        print(f"| {name} | {server:.0f} | {database:.0f} | {p50:.0f} | {p95:.0f} | {statements} |", flush=True)
        for plan in plans:
            print(plan, file=sys.stderr)


def _seconds(client: "django.test.Client", url: str) -> float:
    begun = time.perf_counter()
    answer = client.get(url)
    assert answer.status_code == 200, answer.status_code
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
