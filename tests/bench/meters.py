"""How CPU time and statements are counted."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import httpx
import orjson
import psutil
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.bench.operations import Request

WARM_UP = 50
NOT_COUNTED = ("BEGIN", "COMMIT")


def cpu_per_request(
    client: httpx.Client, request: Callable[[int], Request], requests: int, server: int
) -> tuple[float, float]:
    """Return CPU milliseconds per request, of gunicorn (``server`` is its process id) and of PostgreSQL."""
    for number in range(requests, requests + WARM_UP):
        _send(client, request(number))
    database = _postmaster()
    before = _cpu(server), _cpu(database)
    for number in range(requests):
        _send(client, request(number))
    after = _cpu(server), _cpu(database)
    return (after[0] - before[0]) * 1000 / requests, (after[1] - before[1]) * 1000 / requests


def statements(request: Request, token: str) -> int:
    """Return how many statements the request costs, made in this process; BEGIN and COMMIT are not counted."""
    method, path, more = request
    body, content_type = b"", "application/scim+json"
    if "json" in more:
        body = orjson.dumps(more["json"])
    if "data" in more:
        body, content_type = urlencode(more["data"]).encode(), "application/x-www-form-urlencoded"
    query = f"?{urlencode(more['params'])}" if "params" in more else ""
    client = Client(SERVER_NAME="127.0.0.1", headers={"authorization": f"Bearer {token}"})
    with CaptureQueriesContext(connection) as captured:
        answer = client.generic(method, path + query, body, content_type)
    _check(answer.status_code, answer.content)
    return sum(one["sql"] not in NOT_COUNTED for one in captured)


def _send(client: httpx.Client, request: Request) -> None:
    method, path, more = request
    answer = client.request(method, path, **more)
    _check(answer.status_code, answer.content)


def _check(status: int, content: bytes) -> None:
    if status >= 300:
        raise RuntimeError(f"{status}: {content.decode(errors='replace')}")


def _postmaster() -> int:
    """Return the process id of PostgreSQL's first process, from the file it keeps in its data folder."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        return int(Path(cursor.fetchone()[0], "postmaster.pid").read_text().split()[0])


def _cpu(pid: int) -> float:
    """Return seconds of CPU time of a process and of all its children, those that have ended included."""
    first = psutil.Process(pid)
    times = [first.cpu_times(), *(child.cpu_times() for child in first.children(recursive=True))]
    ended = times[0].children_user + times[0].children_system
    return float(sum(one.user + one.system for one in times) + ended)
