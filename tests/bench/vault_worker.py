"""``python -m tests.bench.vault_worker SUBSCRIPTION``: work until nothing is due, vaults too; print what it took."""

import json
import resource
import sys
import time
from typing import Any

import django

from tests.bench.worker import Counter


def main() -> None:
    """Print ``Work`` of ``tests.bench.vaults`` as JSON."""
    django.setup()
    from django.db import connection

    calls = _count_calls()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    started, counter, begun = usage.ru_utime + usage.ru_stime, Counter(), time.perf_counter()
    with connection.execute_wrapper(counter):
        changed = _work(int(sys.argv[1]))
    wall, usage = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    work = {
        "changed": changed,
        "wall": wall,
        "worker": usage.ru_utime + usage.ru_stime - started,
        "statements": counter.statements,
        "calls": len(calls),
        "memory": usage.ru_maxrss / 1024,
    }
    print(json.dumps(work))


def _work(subscription_id: int) -> int:
    """Do everything that is due, as the workers do; return how many vault users were changed."""
    from django.utils import timezone

    from licensing import sweep
    from licensing.services import due

    changed, now = 0, timezone.now()
    while subscription_id in due.due_subscriptions(now) or sweep.due_vaults(now, subscription_id=subscription_id):
        _, users = sweep.sweep_once(now, subscription_id=subscription_id)
        changed += users.created + users.enabled + users.disabled + users.updated
        now = timezone.now()
    return changed


def _count_calls() -> list[Any]:
    from licensing.clients.http import HttpVaultAgent

    calls: list[Any] = []
    real = HttpVaultAgent._call

    def counted(self: HttpVaultAgent, kind: Any, request: Any) -> Any:
        calls.append(None)
        return real(self, kind, request)

    HttpVaultAgent._call = counted  # type: ignore[method-assign]
    return calls


if __name__ == "__main__":
    main()
