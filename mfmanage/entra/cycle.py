"""One cycle, initial or incremental."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain

from mfmanage.entra import deletions, delta, escrow, groups, quarantine, service, users
from mfmanage.entra.client import Client
from mfmanage.entra.context import Context
from mfmanage.entra.directory import Directory
from mfmanage.entra.job import Job
from mfmanage.entra.results import CycleSummary, ObjectResult
from mfmanage.entra.service import GROUPS, USERS
from mfmanage.entra.state import State
from mfmanage.entra.styles import DIALECTS, Style
from mfmanage.entra.timing import moment


def begin(client: Client, directory: Directory, state: State, style: Style, job: Job) -> Context:
    """Return the next cycle of a job, ready to work.

    It is an initial one, which looks at every object, if none has finished before, if mapping or scope are
    others than then, and after a restart; else it looks at what changed.
    """
    number = state.watermark + 1
    snapshot = directory.at(number)
    context = Context(
        number=number,
        at=moment(state.next_at),
        snapshot=snapshot,
        client=client,
        dialect=DIALECTS[style],
        state=state,
        job=job,
        is_initial=state.settings != settings(job, snapshot.scope),
    )
    context = replace(context, staged=deletions.held_back(context))
    return replace(context, total=delta.size(context))


def settings(job: Job, scope: object) -> str:
    """Return what tells one mapping and scope from another."""
    return delta.digest((job.mapping.name, [target.path for target in job.mapping.matching], scope))


def work(context: Context, report: Callable[[ObjectResult], None], *, tests_connection: bool) -> CycleSummary:
    """Do a cycle; its watermark is saved when it is finished, and only then."""
    client, state = context.client, context.state
    began, requests, writes = time.monotonic(), client.requests, client.writes
    if tests_connection:
        service.probe(client, {USERS: context.job.mapping.matching[0].path, GROUPS: "displayName"})
    summary = CycleSummary(kind="initial" if context.is_initial else "incremental", at=state.next_at)
    for result in _results(context):
        summary.count(result)
        report(result)
    state.watermark = context.number
    state.settings = settings(context.job, context.snapshot.scope)
    state.seen = delta.digests(context.snapshot)
    state.staged = sorted(context.staged)
    escrow.forget_the_gone(context)
    quarantine.conclude(state, context.at, quarantine.judge(context, summary))
    if state.quarantine:
        summary.quarantine, summary.reason = state.quarantine.code, state.quarantine.reason
    summary.requests, summary.writes = client.requests - requests, client.writes - writes
    summary.seconds = round(time.monotonic() - began, 3)
    return summary


def _results(context: Context) -> Iterator[ObjectResult]:
    return chain(users.results(context), groups.results(context))
