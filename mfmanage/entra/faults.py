"""Faults of a network and a service, made on purpose, between the simulator and the wire."""

import json
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import httpx

from mfmanage.entra.mapping import Json

LOST: Final = "lost-responses"
DUPLICATES: Final = "duplicates"
PARALLEL: Final = "parallel-patches"
THROTTLED: Final = "429"
UNAVAILABLE: Final = "503"
EXPIRED: Final = "expired-tokens"

USUAL: Final = {LOST: 0.1, DUPLICATES: 0.1, PARALLEL: 1.0, THROTTLED: 0.1, UNAVAILABLE: 0.1, EXPIRED: 0.1}
"""Every fault, with its probability when none is given."""

PIECES: Final = 8
"""Into how many PATCHes at a time one PATCH of members is taken apart."""

RETRY_AFTER: Final = "1"


class FaultsUnreadable(Exception):
    """The text names a fault that there is not, or a probability that is none."""


@dataclass(frozen=True, kw_only=True)
class Faults:
    """How likely each fault is, per request, and where chance begins."""

    chances: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    seed: int = 1
    retry_after: str = RETRY_AFTER


def parse(text: str, seed: int) -> Faults:
    """Read ``lost-responses=0.1,duplicates,429=0.05``; raises ``FaultsUnreadable``."""
    chances = {}
    for word in filter(None, text.split(",")):
        name, _, number = word.partition("=")
        if name not in USUAL:
            raise FaultsUnreadable(f"there is no fault {name!r}; known are {', '.join(USUAL)}")
        chances[name] = _probability(word, number) if number else USUAL[name]
    return Faults(chances=chances, seed=seed)


def _probability(word: str, number: str) -> float:
    try:
        chance = float(number)
    except ValueError as error:
        raise FaultsUnreadable(f"{word!r} is not a fault and a probability") from error
    if not 0 <= chance <= 1:
        raise FaultsUnreadable(f"the probability in {word!r} is not between 0 and 1")
    return chance


class FaultyTransport(httpx.BaseTransport):
    """Passes SCIM requests on, with faults; requests for tokens (form-encoded) pass untouched.

    ``met`` counts the faults made, by name.
    """

    def __init__(self, inner: httpx.BaseTransport, faults: Faults) -> None:
        self.met = dict.fromkeys(USUAL, 0)
        self._inner = inner
        self._faults = faults
        self._chance = random.Random(faults.seed)  # noqa: S311  reproducible, not secret
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the transport within."""
        self._inner.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer ``request`` with what the service says, or with what a fault makes of it."""
        if request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            return self._inner.handle_request(request)
        if self._strikes(THROTTLED):
            return httpx.Response(HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": self._faults.retry_after})
        if self._strikes(UNAVAILABLE):
            return httpx.Response(HTTPStatus.SERVICE_UNAVAILABLE)
        if self._strikes(EXPIRED):
            request = _copy(request, headers={**request.headers, "authorization": "Bearer expired"})
        return self._deliver(request)

    def _deliver(self, request: httpx.Request) -> httpx.Response:
        writes = request.method != "GET"
        pieces = _pieces(request)
        if len(pieces) > 1 and self._strikes(PARALLEL):
            response = _worst(_at_once(self._answer, pieces))
        elif writes and self._strikes(DUPLICATES):
            first, second = self._answer(request), self._answer(_copy(request))
            response = first if self._draw() < 0.5 else second  # noqa: PLR2004  either may arrive
        else:
            response = self._answer(request)
        if self._strikes(LOST):
            raise httpx.ReadTimeout("The answer was lost on purpose.", request=request)
        return response

    def _answer(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on and read the answer whole, so that the service has done its work."""
        response = self._inner.handle_request(request)
        response.read()
        return response

    def _strikes(self, fault: str) -> bool:
        chance = self._faults.chances.get(fault, 0.0)
        struck = chance > 0 and self._draw() < chance
        if struck:
            with self._lock:
                self.met[fault] += 1
        return struck

    def _draw(self) -> float:
        with self._lock:
            return self._chance.random()


def _copy(request: httpx.Request, headers: Mapping[str, str] | None = None, body: Json | None = None) -> httpx.Request:
    content = request.read() if body is None else json.dumps(body).encode()
    kept = {name: value for name, value in (headers or request.headers).items() if name.lower() != "content-length"}
    return httpx.Request(request.method, request.url, headers=kept, content=content, extensions=request.extensions)


def _pieces(request: httpx.Request) -> list[httpx.Request]:
    """Take a PATCH that changes nothing but members apart into several; any other request is one piece."""
    if request.method != "PATCH":
        return [request]
    body = json.loads(request.read())
    if any(not str(one.get("path", "")).startswith("members") for one in body["Operations"]):
        return [request]
    operations = [part for one in body["Operations"] for part in _parts(one)]
    size = -(-len(operations) // PIECES)
    shares = [operations[start : start + size] for start in range(0, len(operations), size)]
    return [_copy(request, body={**body, "Operations": share}) for share in shares]


def _parts(operation: Json) -> list[Json]:
    """Return one operation for each member that the operation names."""
    value: Any = operation.get("value")
    return [{**operation, "value": [member]} for member in value] if isinstance(value, list) else [operation]


def _at_once(
    send: Callable[[httpx.Request], httpx.Response], requests: Sequence[httpx.Request]
) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def _worst(responses: Sequence[httpx.Response]) -> httpx.Response:
    """Return the answer that tells the client most: a refusal if there is one."""
    return max(responses, key=lambda response: response.status_code)
