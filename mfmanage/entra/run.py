"""A run: some cycles of a directory against a service."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime

import httpx

from mfmanage.entra import cycle, quarantine
from mfmanage.entra.client import Client, Connection, ConnectionFailed
from mfmanage.entra.directory import Directory
from mfmanage.entra.job import Job
from mfmanage.entra.restarts import Restart
from mfmanage.entra.restarts import restart as apply_restart
from mfmanage.entra.results import CycleSummary, ObjectResult, Summary
from mfmanage.entra.state import State
from mfmanage.entra.styles import Style
from mfmanage.entra.timing import moment, stamp


def _ignore(_: object) -> None: ...


def run(
    connection: Connection,
    directory: Directory,
    *,
    state: State,
    style: Style = Style.DEFAULT,
    cycles: int = 1,
    job: Job = Job(),  # noqa: B008  immutable
    restart: Collection[Restart] = (),
    now: datetime | None = None,
    transport: httpx.BaseTransport | None = None,
    report: Callable[[ObjectResult], None] = _ignore,
    between_cycles: Callable[[CycleSummary], None] = _ignore,
    save: Callable[[State], None] = _ignore,
) -> Summary:
    """Test the connection, then run ``cycles`` cycles after those that ``state`` has seen.

    ``restart`` forgets first what it names; with ``ForceDeletes`` the first cycle removes whatever is to be
    removed. ``now`` is the simulated time of a job's very first cycle. ``report`` is called for every object
    when it is done, ``between_cycles`` after every cycle but the last, ``save`` after every cycle and when the
    run breaks off. Raises ``ConnectionFailed`` or its kind ``CredentialsRefused`` when the service cannot be
    used, ``JobDisabled`` after four weeks of quarantine; a failed object is reported, not raised.
    """
    state.next_at = state.next_at or stamp(now or datetime.now(UTC))
    apply_restart(state, restart)
    done: list[CycleSummary] = []
    with Client(connection, transport=transport) as client:
        for _ in range(cycles):
            if done:
                between_cycles(done[-1])
            allowed = not done and Restart.FORCE_DELETES in restart
            this = replace(job, deletion_threshold=None) if allowed else job
            try:
                done.append(_cycle(client, directory, state, style=style, job=this, report=report, first=not done))
            finally:
                save(state)
    return Summary(tuple(done))


def _cycle(
    client: Client,
    directory: Directory,
    state: State,
    *,
    style: Style,
    job: Job,
    report: Callable[[ObjectResult], None],
    first: bool,
) -> CycleSummary:
    """Do one cycle; a service that cannot be used puts the job into quarantine."""
    quarantine.refuse_disabled(state)
    at = moment(state.next_at)
    try:
        return cycle.work(cycle.begin(client, directory, state, style, job), report, tests_connection=first)
    except ConnectionFailed as failure:
        quarantine.conclude(state, at, (quarantine.EXCEPTION, str(failure)))
        raise
