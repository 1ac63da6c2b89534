"""Quarantine: a job whose calls fail is slowed to one cycle a day (*application-provisioning-quarantine-status*)."""

from datetime import datetime, timedelta
from typing import Final

from mfmanage.entra.context import Context
from mfmanage.entra.results import CycleSummary
from mfmanage.entra.state import Quarantine, State
from mfmanage.entra.timing import CYCLE, moment, stamp

EXCEPTION: Final = "EncounteredQuarantineException"
PROPORTION: Final = "EncounteredEscrowProportionThreshold"
STAGED: Final = "StagedDelete"

EVALUATED_FROM: Final = 5_000
TOLERATED_SHARE: Final = 0.4
MOST_FAILURES: Final = 40_000
MOST_WITH_REFERENCES: Final = 60_000
ALL_OF: Final = 10
"""Failed objects from which on a cycle in which nothing succeeded counts as *all calls fail*; our number."""

DELAYS: Final = (timedelta(hours=6), timedelta(hours=12), timedelta(hours=24))
DISABLED_AFTER: Final = timedelta(days=28)


class JobDisabled(Exception):
    """The job was in quarantine for four weeks; the text is a sentence for the operator."""


def refuse_disabled(state: State) -> None:
    """Raise ``JobDisabled`` if the next cycle would come after four weeks of quarantine."""
    quarantine = state.quarantine
    if quarantine and moment(state.next_at) - moment(quarantine.since) > DISABLED_AFTER:
        raise JobDisabled(
            f"The job is disabled: in quarantine since {quarantine.since} ({quarantine.code}). {quarantine.reason} "
            "When that is mended, run with --restart default."
        )


def judge(context: Context, summary: CycleSummary) -> tuple[str, str] | None:
    """Return the code and the reason of a quarantine after a cycle, ``None`` if the job is well."""
    escrows = context.state.escrows.values()
    failures = sum(not escrow.is_reference for escrow in escrows)
    objects = len(context.snapshot.users) + len(context.snapshot.groups)
    if context.staged:
        return STAGED, f"{len(context.staged)} removals wait to be allowed."
    if failures >= EVALUATED_FROM and failures > TOLERATED_SHARE * objects:
        return PROPORTION, f"{failures} of {objects} objects failed."
    if failures > MOST_FAILURES or len(escrows) > MOST_WITH_REFERENCES:
        return PROPORTION, f"{len(escrows)} objects failed, {failures} of them not for a reference."
    if summary.failed >= ALL_OF and summary.failed == summary.objects:
        return EXCEPTION, f"All {summary.failed} objects of the cycle failed."
    return None


def conclude(state: State, at: datetime, verdict: tuple[str, str] | None) -> None:
    """Enter, prolong or leave quarantine after the cycle that began ``at``, and set the time of the next one."""
    if verdict is None:
        state.quarantine = None
        state.next_at = stamp(at + CYCLE)
        return
    code, reason = verdict
    before = state.quarantine
    since, cycles = (before.since, before.cycles) if before else (stamp(at), 0)
    state.quarantine = Quarantine(code, reason, since, cycles + 1)
    state.next_at = stamp(at + DELAYS[min(cycles, len(DELAYS) - 1)])
