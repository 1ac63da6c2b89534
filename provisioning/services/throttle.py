"""How many attempts at the token endpoint may fail in a minute, for an address and for a client ID (decision 22).

Only failures are counted. An address that has failed too often is refused unheard until the minute is over, except for
a client ID that got a token from there within a day: a stranger behind the same address locks nobody out who works.
For a client ID it is the answer that is refused: the right secret is always let in, or anybody who knows a client ID
could lock its identity provider out.

Each failure takes a number from one atomic counter, so of many failures at once no more than ``limit`` are answered as
such. With Redis all processes share the counters; while it does not answer, each counts for itself.
"""

import hashlib
import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple, Protocol, TypeVar

from redis import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from provisioning.once import once

WINDOW: Final = 60
"""Seconds in which failures are counted together."""
_REMEMBERED: Final = 24 * 60 * 60
_MOST_KEYS: Final = 10_000
"""So many counters and remembered clients a process keeps without Redis."""
_OVERFLOW: Final = "all others"
_AWAY: Final = 5
_TIMEOUT_SECONDS: Final = 1.0
_CONNECTIONS: Final = 16

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Attempt(NamedTuple):
    """Who asks for a token: the address, and the client ID that was sent; either may be empty, and is not counted."""

    address: str
    client_id: str

    @property
    def counters(self) -> list[str]:
        """The names of what this attempt counts for, without what was sent itself, which may be long or a secret."""
        found = (("address", network(self.address)), ("client", self.client_id))
        return [_name(kind, value) for kind, value in found if value]

    @property
    def pair(self) -> str:
        return _name("pair", f"{network(self.address)} {self.client_id}")


class Counters(Protocol):
    """Where failures are counted, by minute; and which clients got a token, and from where."""

    def add(self, names: list[str], minute: int) -> list[int]:
        """Add one to each counter of the minute; return what each has become."""

    def read(self, name: str, minute: int) -> int:
        """Return what the counter has become in that minute."""

    def remember(self, pair: str, now: float) -> None:
        """Remember a client and its address for a day."""

    def is_remembered(self, pair: str, now: float) -> bool:
        """Return whether the client got a token from that address within a day."""


class Throttle:
    """Refuses who has failed ``limit`` times in the minute; ``now`` is in seconds."""

    def __init__(self, counters: Counters, limit: int) -> None:
        self._counters, self._limit = counters, limit

    def wait(self, attempt: Attempt, now: float) -> int:
        """Return for how many seconds the attempt is refused unheard, or 0."""
        if not attempt.address:
            return 0
        failures = self._counters.read(attempt.counters[0], _minute(now))
        if failures < self._limit or self._counters.is_remembered(attempt.pair, now):
            return 0
        return _rest(now)

    def failed(self, attempt: Attempt, now: float) -> int:
        """Count a failed attempt; return for how many seconds the next one should wait, or 0 for an answer as usual."""
        counts = self._counters.add(attempt.counters, _minute(now))
        if self._limit + 1 in counts:
            logger.warning("Too many attempts to get a token failed, the last one from %s", attempt.address)
        return _rest(now) if any(count > self._limit for count in counts) else 0

    def succeeded(self, attempt: Attempt, now: float) -> None:
        """Remember that the client works from there."""
        self._counters.remember(attempt.pair, now)


class InMemory:
    """Counters of this process alone, of the current minute; beyond a number of names the others share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute, self._counts = 0, Counter[str]()
        self._pairs: OrderedDict[str, float] = OrderedDict()

    def add(self, names: list[str], minute: int) -> list[int]:
        with self._lock:
            self._turn(minute)
            kept = [self._kept(name) for name in names]
            self._counts.update(kept)
            return [self._counts[name] for name in kept]

    def read(self, name: str, minute: int) -> int:
        with self._lock:
            self._turn(minute)
            return self._counts[self._kept(name)]

    def remember(self, pair: str, now: float) -> None:
        with self._lock:
            self._pairs[pair] = now + _REMEMBERED
            self._pairs.move_to_end(pair)
            if len(self._pairs) > _MOST_KEYS:
                self._pairs.popitem(last=False)

    def is_remembered(self, pair: str, now: float) -> bool:
        with self._lock:
            return self._pairs.get(pair, 0) > now

    def _turn(self, minute: int) -> None:
        if minute != self._minute:
            self._minute, self._counts = minute, Counter()

    def _kept(self, name: str) -> str:
        return name if name in self._counts or len(self._counts) < _MOST_KEYS else _OVERFLOW


class InRedis:
    """Counters that all processes share. The minute is part of a name, so none can outlive it by more than a minute."""

    def __init__(self, url: str) -> None:
        patience = dict.fromkeys(("socket_timeout", "socket_connect_timeout", "timeout"), _TIMEOUT_SECONDS)
        pool = BlockingConnectionPool.from_url(
            url, max_connections=_CONNECTIONS, retry=Retry(NoBackoff(), 1), **patience
        )
        self._redis = Redis(connection_pool=pool)

    def add(self, names: list[str], minute: int) -> list[int]:
        with self._redis.pipeline(transaction=True) as pipe:
            for name in names:
                pipe.incr(_key(name, minute))
                pipe.expire(_key(name, minute), 2 * WINDOW)
            answers = pipe.execute()
        return [int(count) for count in answers[::2]]

    def read(self, name: str, minute: int) -> int:
        return int(self._redis.get(_key(name, minute)) or 0)

    def remember(self, pair: str, now: float) -> None:  # noqa: ARG002  Redis has a clock of its own
        self._redis.set(_key(pair), 1, ex=_REMEMBERED)

    def is_remembered(self, pair: str, now: float) -> bool:  # noqa: ARG002
        return bool(self._redis.exists(_key(pair)))


class Steadfast:
    """Counters in Redis, and in this process besides; the higher number counts, whether Redis answers or not."""

    def __init__(self, shared: Counters) -> None:
        self._shared, self._own = shared, InMemory()
        self._away_until = 0.0

    def add(self, names: list[str], minute: int) -> list[int]:
        own = self._own.add(names, minute)
        shared = self._ask(lambda counters: counters.add(names, minute), own)
        return [max(pair) for pair in zip(own, shared, strict=True)]

    def read(self, name: str, minute: int) -> int:
        own = self._own.read(name, minute)
        return max(own, self._ask(lambda counters: counters.read(name, minute), own))

    def remember(self, pair: str, now: float) -> None:
        self._own.remember(pair, now)
        self._ask(lambda counters: counters.remember(pair, now), None)

    def is_remembered(self, pair: str, now: float) -> bool:
        if self._own.is_remembered(pair, now):
            return True
        return self._ask(lambda counters: counters.is_remembered(pair, now), False)

    def _ask(self, ask: Callable[[Counters], T], otherwise: T) -> T:
        """Return what Redis answers; while it does not, ``otherwise``, and it is not asked for some seconds."""
        if time.monotonic() < self._away_until:
            return otherwise
        try:
            return ask(self._shared)
        except RedisError:
            self._away_until = time.monotonic() + _AWAY
            logger.warning("Redis does not answer: each process counts failed attempts by itself", exc_info=True)
            return otherwise


@once
def throttle(limit: int, redis_url: str) -> Throttle | None:
    """Return this process's throttle for these settings; None where ``limit`` is 0, so that nothing is limited."""
    if not limit:
        return None
    return Throttle(Steadfast(InRedis(redis_url)) if redis_url else InMemory(), limit)


def network(address: str) -> str:
    """Return what an address counts as: itself, or the /64 network of IPv6, all of which one host may use."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
    return str(found)


def _name(kind: str, value: str) -> str:
    return f"{kind}:{hashlib.sha256(value.encode(errors='surrogatepass')).hexdigest()[:32]}"


def _key(name: str, minute: int | None = None) -> str:
    return f"token:failures:{name}" if minute is None else f"token:failures:{name}:{minute}"


def _minute(now: float) -> int:
    return int(now // WINDOW)


def _rest(now: float) -> int:
    """Return the seconds until the minute is over."""
    return WINDOW - int(now % WINDOW)
