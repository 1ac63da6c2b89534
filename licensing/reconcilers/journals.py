"""The report of a comparison while it is written: counts, findings and the place reached are recorded page by page.

A comparison that was interrupted, by a crash or because its turn was over, goes on at that place.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

from django.db.models import Model

from licensing.clients.agent import Page
from licensing.models import DriftReport
from licensing.plans.drift import Drift
from licensing.reconcilers.ranges import Range, Records, Rest, ranges
from licensing.reconcilers.sessions import VaultSession
from licensing.services import drift

T = TypeVar("T")
M = TypeVar("M", bound=Model)


class Step(IntEnum):
    """The steps of a comparison, in their order."""

    USERS = 0
    ACCOUNTS = 1
    MEMBERS = 2


Stage = tuple[Step, int]
"""A step, and for ``MEMBERS`` the id of the target group, in whose order links are compared."""
_COUNTS = {Step.USERS: "users_count", Step.ACCOUNTS: "accounts_count", Step.MEMBERS: "members_count"}


@dataclass(slots=True)
class Journal:
    """``report`` is None for a look that must leave no trace; ``total`` counts what this turn found."""

    session: VaultSession
    report: DriftReport | None = None
    total: Drift = field(default_factory=Drift)

    def parts(
        self,
        stage: Stage,
        page_after: Callable[[str | None], Page[T]],
        key: Callable[[T], str],
        records: Records[M],
    ) -> Iterator[Range[T, M]]:
        """Yield what has not been compared yet of the stage's listing and the records beside it."""
        reached, rest = self._reached()
        if stage >= reached:
            yield from ranges(page_after, key, records, rest if stage == reached else Rest())

    @contextmanager
    def page(self, stage: Stage, part: Range[Any, Any]) -> Iterator[Drift]:
        """Open the transaction in which the page's results are recorded; what is found goes into the ``Drift``.

        Afterwards the vault's turn may be over. Raises ``LeaseLost`` and ``TurnOver``.
        """
        if self.report is None:
            yield self.total
            return
        found = Drift(room=drift.room(self.report))
        with self.session.lease.recording():
            yield found
            self._write(self.report, stage, part, found)
        self.total.add(found)
        self.session.end_of_batch()

    def untold(self, stage: Stage, keys: Iterable[str]) -> list[str]:
        """Return those of the members, by key, that an interrupted turn has not told of ``ahead``."""
        told = (self.report.position if self.report else {}).get("told", {"target": None, "keys": []})
        return [key for key in keys if told["target"] != stage[1] or key not in told["keys"]]

    @contextmanager
    def ahead(self, stage: Stage, keys: Sequence[str]) -> Iterator[Drift]:
        """Open the transaction in which is recorded what is found of members that the next call takes away.

        Nobody could find them again when that call is done and its page is not recorded. Raises ``LeaseLost``.
        """
        if self.report is None:
            yield self.total
            return
        found = Drift(room=drift.room(self.report))
        with self.session.lease.recording():
            yield found
            before = self.report.position or _position((Step.USERS, 0), Rest())
            told = before.get("told", {"target": None})
            earlier = told["keys"] if told["target"] == stage[1] else []
            self.report.position = before | {"told": {"target": stage[1], "keys": [*earlier, *keys]}}
            drift.write(self.report, found)
        self.total.add(found)

    def _write(self, report: DriftReport, stage: Stage, part: Range[Any, Any], found: Drift) -> None:
        count = _COUNTS[stage[0]]
        setattr(report, count, getattr(report, count) + len(part.items))
        report.position = _position(stage, part.rest)
        drift.write(report, found)

    def _reached(self) -> tuple[Stage, Rest]:
        place = self.report.position if self.report else None
        if not place:
            return (Step.USERS, 0), Rest()
        return (Step(place["step"]), place["target"]), Rest.read(place)


def _position(stage: Stage, rest: Rest | None) -> dict[str, Any]:
    """Return the place in the report's form; after the last page of a stage it is before any further one."""
    step, target = stage
    if rest is None:
        step, target, rest = (Step(step + 1), 0, Rest()) if step < Step.MEMBERS else (step, target + 1, Rest())
    return {"step": int(step), "target": target, **rest.document()}
