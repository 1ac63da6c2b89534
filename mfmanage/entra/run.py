"""A run: some cycles of a directory against a service."""

import time
from collections.abc import Callable, Iterator
from itertools import chain

from mfmanage.entra import groups, service, users
from mfmanage.entra.client import Client, Connection
from mfmanage.entra.context import Context
from mfmanage.entra.directory import Directory
from mfmanage.entra.results import CycleSummary, ObjectResult, Summary
from mfmanage.entra.state import State
from mfmanage.entra.styles import DIALECTS, Style


def _ignore(_: object) -> None: ...


def run(
    connection: Connection,
    directory: Directory,
    *,
    state: State,
    style: Style = Style.DEFAULT,
    cycles: int = 1,
    report: Callable[[ObjectResult], None] = _ignore,
    between_cycles: Callable[[CycleSummary], None] = _ignore,
    save: Callable[[State], None] = _ignore,
) -> Summary:
    """Test the connection, then run ``cycles`` cycles after those that ``state`` has seen.

    ``report`` is called for every object when it is done, ``between_cycles`` after every cycle but the
    last, ``save`` after every cycle and when the run breaks off. Raises ``ConnectionFailed`` or its kind
    ``CredentialsRefused`` when the service cannot be used; a failed object is reported, not raised.
    """
    done: list[CycleSummary] = []
    with Client(connection) as client:
        for _ in range(cycles):
            if done:
                between_cycles(done[-1])
            try:
                done.append(_cycle(client, directory, state, style, report, first=not done))
            finally:
                save(state)
    return Summary(tuple(done))


def _cycle(
    client: Client,
    directory: Directory,
    state: State,
    style: Style,
    report: Callable[[ObjectResult], None],
    *,
    first: bool,
) -> CycleSummary:
    began, requests, writes = time.monotonic(), client.requests, client.writes
    if first:
        service.probe(client)
    number = state.watermark + 1
    summary = CycleSummary()
    for result in _results(Context(number, directory.at(number), client, DIALECTS[style], state)):
        summary.count(result)
        report(result)
    state.watermark = number
    summary.requests, summary.writes = client.requests - requests, client.writes - writes
    summary.seconds = round(time.monotonic() - began, 3)
    return summary


def _results(context: Context) -> Iterator[ObjectResult]:
    return chain(users.results(context), groups.results(context))
