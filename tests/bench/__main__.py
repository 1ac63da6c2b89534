"""``python -m tests.bench [--users N] [--requests N]``: measure and print a Markdown table.

CPU time is what the operating system accounts to gunicorn's workers and to PostgreSQL's processes, divided by the
number of requests: it says little about how busy the machine is, and much about the code.
"""

import argparse
import os
import sys

import django
import httpx

from tests.servers import start, use


def main() -> None:
    """Start private servers, measure on them, remove them."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=1_000)
    options = parser.parse_args()
    servers = start(database="postgresql", source="auto")
    try:
        use(servers.directory, "postgresql", "main")
        os.environ["MFMANAGE_LOG_LEVEL"] = "WARNING"
        django.setup()
        measure(options.users, options.requests)
    finally:
        servers.stop()


def measure(users: int, requests: int) -> None:
    """Print one row per operation: CPU milliseconds of a request in the server and in PostgreSQL, and statements."""
    from tests.bench import meters, operations, world

    print(f"filling PostgreSQL with {users:,} users …", file=sys.stderr)
    filled = world.make_world(users)
    print("| Operation | Server, ms | PostgreSQL, ms | Together, ms | Statements |\n|---|---|---|---|---|")
    with world.serving(workers=2) as (address, pid), httpx.Client(base_url=address, timeout=60) as client:
        token = client.post("/oauth/token", data=filled.form).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        for name, request in operations.operations(filled).items():
            statements = meters.statements(request(10**6), token)
            server, database = meters.cpu_per_request(client, request, requests, pid)
            total = server + database
            print(f"| {name} | {server:.2f} | {database:.2f} | {total:.2f} | {statements} |", flush=True)


if __name__ == "__main__":
    main()
