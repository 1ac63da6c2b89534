"""How CPU time, statements and waiting are measured."""

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

import psutil
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.bench.operations import Request

WARM_UP = 50
CONNECTIONS = 8
LONGEST_SECONDS = 20
"""What takes long is measured by fewer requests."""
REAPED_WITHIN = 1.0
"""Seconds after which PostgreSQL has taken note that a connection has ended; its time counts only from then on."""
NOT_COUNTED = ("BEGIN", "COMMIT")


class Figures(NamedTuple):
    """CPU milliseconds per request; p50 and p95 in milliseconds of one connection, and of several at once."""

    server: float
    database: float
    statements: int
    alone: tuple[float, float]
    among: tuple[float, float]

    @property
    def together(self) -> float:
        return self.server + self.database


class Meter:
    """Measures requests to gunicorn at ``address``, whose first process is ``server``."""

    def __init__(self, address: str, server: int) -> None:
        self.host, self.token = address.removeprefix("http://"), ""
        self._processes = server, postmaster()

    def measure(self, request: Callable[[int], Request], requests: int) -> Figures:
        numbers = itertools.count()
        counted = min(self._statements(request(next(numbers))) for _ in range(2))  # the first may note the contact
        self._send(request, itertools.islice(numbers, WARM_UP))
        before = [cpu(pid) for pid in self._processes]
        alone = self._send(request, itertools.islice(numbers, requests))
        server, database = (
            (cpu(pid) - then) * 1000 / len(alone) for pid, then in zip(self._processes, before, strict=True)
        )
        among = self._send_at_once(request, itertools.islice(numbers, requests))
        return Figures(server, database, counted, _percentiles(alone), _percentiles(among))

    def ask(self, request: Request) -> bytes:
        client = HTTPConnection(self.host)
        try:
            return self._ask(client, request)
        finally:
            client.close()

    def _send(self, request: Callable[[int], Request], numbers: Iterator[int]) -> list[float]:
        """Send one request after the other by one connection; return how long each took, in seconds."""
        client, taken, end = HTTPConnection(self.host), list[float](), time.perf_counter() + LONGEST_SECONDS
        for number in numbers:
            made, begun = request(number), time.perf_counter()
            self._ask(client, made)
            taken.append(time.perf_counter() - begun)
            if time.perf_counter() > end:
                break
        client.close()
        return taken

    def _send_at_once(self, request: Callable[[int], Request], numbers: Iterator[int]) -> list[float]:
        lock = threading.Lock()

        def shared() -> Iterator[int]:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                yield number

        with ThreadPoolExecutor(CONNECTIONS) as threads:
            parts = [threads.submit(self._send, request, shared()) for _ in range(CONNECTIONS)]
            return [seconds for part in parts for seconds in part.result()]

    def _ask(self, client: HTTPConnection, request: Request) -> bytes:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if request.body:
            headers["Content-Type"] = request.content_type
        client.request(request.method, request.path, request.body or None, headers)
        answer = client.getresponse()
        content = answer.read()
        _check(answer.status, content)
        return content

    def _statements(self, request: Request) -> int:
        """Return how many statements the request costs, made in this process; BEGIN and COMMIT are not counted."""
        client = Client(SERVER_NAME="127.0.0.1", headers={"authorization": f"Bearer {self.token}"})
        with CaptureQueriesContext(connection) as captured:
            answer = client.generic(request.method, request.path, request.body, request.content_type)
        _check(answer.status_code, answer.content)
        return sum(one["sql"] not in NOT_COUNTED for one in captured)


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    return statistics.median(seconds) * 1000, statistics.quantiles(seconds, n=20)[-1] * 1000


def _check(status: int, content: bytes) -> None:
    if status >= 300:
        raise RuntimeError(f"{status}: {content.decode(errors='replace')}")


def postmaster() -> int:
    """Return the process id of PostgreSQL's first process, from the file it keeps in its data folder."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        return int(Path(cursor.fetchone()[0], "postmaster.pid").read_text().split()[0])


def cpu(pid: int) -> float:
    """Return seconds of CPU time of a process and of all its children, those that have ended included."""
    first = psutil.Process(pid)
    times = [first.cpu_times(), *(child.cpu_times() for child in first.children(recursive=True))]
    ended = times[0].children_user + times[0].children_system
    return float(sum(one.user + one.system for one in times) + ended)
