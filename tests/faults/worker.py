"""``python -m tests.faults.worker ARGUMENTS OF CELERY``: bear one worker of the product for each line that is read.

Each is a process of its own session, forked when everything is imported, because that takes most of a worker's start;
its number is printed. A line may say at which call the worker dies: ``put_vault_users:after`` kills all of it right
after (or before) that call of a vault agent, when the vault has done what nobody has recorded yet.

The code is the product's; only what it waits for is made shorter, so that an hour of outages fits into minutes.
"""

import os
import signal
import sys
from datetime import timedelta
from typing import Any

import django

CALLS = ("put_login_accounts", "put_vault_users", "change_group_members")
MOMENTS = ("before", "after")
SHORTER = 60
"""By how much the waits after failures are shorter."""
LEASE, TIMEOUT = timedelta(seconds=3), 2.0


def main() -> None:
    """Bear workers until nothing more is to be read; nobody waits for the dead ones."""
    django.setup()
    shorten_waits()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if pid := os.fork():
            print(pid, flush=True)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        work(line.strip())


def work(death: str) -> None:
    """Run Celery as ``python -m celery`` does; never returns."""
    call, _, when = death.partition(":")
    if call:
        die_at(call, when)
    from celery.__main__ import main as celery

    sys.argv[0] = "celery"
    sys.exit(celery())


def shorten_waits() -> None:
    """Make leases and waits short in every module that knows them."""
    from licensing.plans import backoff
    from licensing.services import agents, leases

    real, longest = backoff.wait_after, timedelta(seconds=2)

    def shorter(*arguments: Any, **options: Any) -> timedelta:
        return min(real(*arguments, **options) / SHORTER, longest)

    # What a worker needs, every reconciler among it.
    import celery.apps.worker
    import celery.concurrency.prefork  # noqa: F401

    import licensing.tasks  # noqa: F401

    for module in list(sys.modules.values()):
        if getattr(module, "wait_after", None) is real:
            module.wait_after = shorter  # type: ignore[attr-defined]
    assert timedelta(seconds=agents.TIMEOUT) < leases.LENGTH, "the names of the product's waits have changed"
    leases.LENGTH, leases.RENEWED_BELOW, agents.TIMEOUT = LEASE, LEASE * 0.7, TIMEOUT


def die_at(name: str, when: str) -> None:
    """Kill this process group at the first call of that name."""
    from licensing.reconcilers.sessions import VaultSession

    tell = VaultSession.tell

    def fatal(session: VaultSession, call: Any, *arguments: Any, **options: Any) -> Any:
        if call.__name__ == name and when == "before":
            os.killpg(0, signal.SIGKILL)
        answer = tell(session, call, *arguments, **options)
        if call.__name__ == name:
            os.killpg(0, signal.SIGKILL)
        return answer

    VaultSession.tell = fatal  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    main()
