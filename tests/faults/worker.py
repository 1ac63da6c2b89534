"""``python -m tests.faults.worker ARGUMENTS OF CELERY``: the product's worker with short waits, able to die at a call.

The code is the product's; only what it waits for is made shorter, so that an hour of outages fits into minutes.
``MFMANAGE_TESTS_DIES_AT=put_vault_users:after`` kills the whole worker right after (or before) that call of a vault
agent, when the vault has done what nobody has recorded yet.
"""

import os
import signal
import sys
from datetime import timedelta
from typing import Any

import django

DIES_AT = "MFMANAGE_TESTS_DIES_AT"
CALLS = ("put_login_accounts", "put_vault_users", "change_group_members")
MOMENTS = ("before", "after")
SHORTER = 60
"""By how much the waits after failures are shorter."""
LEASE, TIMEOUT = timedelta(seconds=3), 2.0


def main() -> None:
    """Run Celery as ``python -m celery`` does."""
    django.setup()
    shorten_waits()
    call, _, when = os.environ.get(DIES_AT, "").partition(":")
    if call:
        die_at(call, when)
    from celery.__main__ import main as celery

    sys.argv[0] = "celery"
    celery()


def shorten_waits() -> None:
    """Make leases and waits short in every module that knows them."""
    from licensing.plans import backoff
    from licensing.services import agents, leases

    real, longest = backoff.wait_after, timedelta(seconds=2)

    def shorter(attempts: int) -> timedelta:
        return min(real(attempts) / SHORTER, longest)

    import licensing.tasks  # noqa: F401  it imports every reconciler

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
