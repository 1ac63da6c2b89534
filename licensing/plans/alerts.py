"""Which notifications about a pool run: what begins one, and what a running one goes on with; plain Python.

A running notification ends a little below where it began, so that one seat to and fro is not told again and again.
"""

from collections.abc import Set
from dataclasses import dataclass
from typing import Final

from provisioning.notification_kinds import POOL_FULL, POOL_NEARLY_FULL, POOL_OVER_USED, WAITING, Kind

NEARLY_FULL_FROM: Final = 90
NEARLY_FULL_UNTIL: Final = 88
FULL_UNTIL: Final = 98
"""Percentages of the purchased number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A pool as it stands: licenses ``used`` of the ``purchased``, and how many users wait for one.

    ``is_limited``: never more is used than purchased, unless fewer were purchased later. Concurrent is not.
    """

    used: int
    purchased: int
    waiting: int
    is_limited: bool = True

    def is_used_to(self, percent: int) -> bool:
        return self.purchased > 0 and self.used * 100 >= percent * self.purchased


def running(pool: Pool, before: Set[Kind]) -> set[Kind]:
    """Return the kinds that run now, where those of ``before`` have run."""
    is_over = pool.is_limited and pool.used > pool.purchased
    is_full = pool.is_used_to(100) and not is_over
    facts = {
        POOL_OVER_USED: is_over,
        POOL_FULL: is_full or (POOL_FULL in before and pool.is_used_to(FULL_UNTIL)),
        POOL_NEARLY_FULL: pool.is_used_to(NEARLY_FULL_UNTIL if POOL_NEARLY_FULL in before else NEARLY_FULL_FROM)
        and (POOL_NEARLY_FULL in before or not pool.is_used_to(100)),
        WAITING: pool.waiting > 0,
    }
    return {kind for kind, runs in facts.items() if runs}


def sentence(kind: Kind, pool: Pool, label: str) -> str:
    """Return what is told of a pool of licenses called ``label``."""
    if kind == WAITING:
        return f"{'1 user waits' if pool.waiting == 1 else f'{pool.waiting:,} users wait'} for a {label} license."
    if kind == POOL_OVER_USED:
        return f"{pool.used:,} {label} licenses are granted, but only {pool.purchased:,} were purchased."
    if kind == POOL_FULL and pool.used == pool.purchased:
        return f"All {label} licenses are in use: {pool.used:,} of {pool.purchased:,}."
    return f"{pool.used:,} of {pool.purchased:,} {label} licenses are in use."
