"""``python -m tests.bench.refusals [--requests N]``: does the token endpoint's time tell whether a client is known?

Three kinds of attempts in random order by one connection: a client ID that nobody has, the same once more as the
control, and a wrong secret of a client that is there. After each answer a request for ``/healthz`` follows at once, for
what the server still does with the attempt delays it. A difference of two kinds is that of their medians, with the
interval in which 95 % of resampled differences lie; the control's says how small a difference would be seen.
"""

import argparse
import os
import random
import statistics
import time
from http.client import HTTPConnection
from urllib.parse import urlencode

import django

from tests.servers import start, use

KINDS = ("unknown client", "unknown client again", "wrong secret")
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}
RESAMPLED = 1_000
MICROSECONDS = 1_000_000


def main() -> None:
    """Start private servers, measure on them, remove them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.refusals")
    parser.add_argument("--requests", type=int, default=10_000, help="attempts of each kind")
    options = parser.parse_args()
    servers = start(database="postgresql", source="auto")
    try:
        use(servers.directory, "postgresql", "main")
        os.environ |= {"MFMANAGE_LOG_LEVEL": "ERROR", "MFMANAGE_TOKEN_FAILURES": "0"}
        django.setup()
        _report(options.requests)
    finally:
        servers.stop()


def _report(requests: int) -> None:
    from django.core.management import call_command
    from django.utils import timezone

    from tests.bench import world
    from tests.factories import make_credentials

    call_command("migrate", verbosity=0)
    client_id = make_credentials(at=timezone.now()).configuration.client_id
    with world.serving(workers=1) as (address, _):
        client = HTTPConnection(address.removeprefix("http://"))
        _measure(client, client_id, requests // 10)
        taken = _measure(client, client_id, requests)
        client.close()
    print("| Kind | Answer, median µs | The request behind it, median µs |\n|---|---|---|")
    for kind in KINDS:
        medians = [statistics.median(column) for column in zip(*taken[kind], strict=True)]
        print(f"| {kind} | {medians[0]:.0f} | {medians[1]:.0f} |")
    print("\n| Difference to *unknown client* | Answer, µs (95 %) | The request behind it, µs (95 %) |\n|---|---|---|")
    for kind in KINDS[1:]:
        pairs = zip(zip(*taken[KINDS[0]], strict=True), zip(*taken[kind], strict=True), strict=True)
        print(f"| {kind} | " + " | ".join(_difference(list(one), list(other)) for one, other in pairs) + " |")


def _measure(client: HTTPConnection, client_id: str, requests: int) -> dict[str, list[tuple[float, float]]]:
    """Return by kind what each attempt and the request behind it took, in microseconds."""
    from provisioning.services.secrets import make_secret

    taken: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    kinds = [*KINDS] * requests
    random.shuffle(kinds)
    for kind in kinds:
        named = client_id if kind == "wrong secret" else _unlike(client_id)
        form = {"grant_type": "client_credentials", "client_id": named, "client_secret": make_secret()}
        answer = _ask(client, "POST", "/oauth/token", urlencode(form), 401)
        taken[kind].append((answer, _ask(client, "GET", "/healthz", None, 200)))
    return taken


def _unlike(client_id: str) -> str:
    """Return a client ID of the same form that nobody has."""
    return "".join(random.choice("0123456789abcdef") if sign in "0123456789abcdef" else sign for sign in client_id)


def _ask(client: HTTPConnection, method: str, path: str, body: str | None, expected: int) -> float:
    begun = time.perf_counter()
    client.request(method, path, body, HEADERS if body else {})
    answer = client.getresponse()
    answer.read()
    taken = time.perf_counter() - begun
    if answer.status != expected:
        raise RuntimeError(f"{path}: {answer.status}")
    return taken * MICROSECONDS


def _difference(one: list[float], other: list[float]) -> str:
    """Return the difference of the medians, and between what it lies when both are drawn anew from themselves."""
    drawn = sorted(
        statistics.median(random.choices(other, k=len(other))) - statistics.median(random.choices(one, k=len(one)))
        for _ in range(RESAMPLED)
    )
    low, high = drawn[RESAMPLED * 25 // 1000], drawn[-RESAMPLED * 25 // 1000]
    return f"{statistics.median(other) - statistics.median(one):+.1f} ({low:+.1f} to {high:+.1f})"


if __name__ == "__main__":
    main()
