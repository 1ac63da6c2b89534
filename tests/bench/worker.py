"""``python -m tests.bench.worker SUBSCRIPTION``: reconcile licenses in a process of its own; print what it took."""

import json
import resource
import sys
import time
from typing import Any

import django


class Counter:
    """Counts statements without keeping them, which would be counted as the worker's memory."""

    def __init__(self) -> None:
        self.statements = 0

    def __call__(self, execute: Any, *arguments: Any) -> Any:
        self.statements += 1
        return execute(*arguments)


def main() -> None:
    """Work until nothing is due, and print ``Work`` of ``tests.bench.scale`` as JSON."""
    django.setup()
    from django.db import connection
    from django.utils import timezone

    from licensing.reconcilers import licenses

    counter, begun = Counter(), time.perf_counter()
    with connection.execute_wrapper(counter):
        tally = licenses.reconcile(int(sys.argv[1]), now=timezone.now())
    usage = resource.getrusage(resource.RUSAGE_SELF)
    work = {
        "accounts": tally.accounts,
        "granted": tally.granted,
        "released": tally.released,
        "wall": time.perf_counter() - begun,
        "worker": usage.ru_utime + usage.ru_stime,
        "statements": counter.statements,
        "memory": usage.ru_maxrss / 1024,
    }
    print(json.dumps(work))


if __name__ == "__main__":
    main()
