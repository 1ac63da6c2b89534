"""How fast a configuration may call (3-scim §3.2): a bucket of ``burst`` tokens that fills with ``rate`` a second.

A bucket is one number, the time at which it is full again (GCRA), in microseconds; whole numbers, so that nothing is
lost by rounding. With Redis all processes share the buckets; a process fetches a few tokens at once and keeps them for
a second at most, so that most requests cost no round trip. What it does not use is lost: never are there more than
``burst`` and ``rate`` for each second, and for the second before.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from provisioning.once import once
from scim.errors import TooManyRequests

SECOND: Final = 1_000_000
_LEASE: Final = SECOND
_NEWS_INTERVAL: Final = 60 * SECOND
_AWAY: Final = 5 * SECOND
_SHARE_OF_BURST: Final = 40
_TIMEOUT_SECONDS: Final = 0.2

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """``rate`` requests a second, ``burst`` at once after a rest; both 1 or more."""

    rate: int
    burst: int

    @property
    def period(self) -> int:
        """Microseconds in which one token comes, rounded up."""
        return -(-SECOND // self.rate)

    @property
    def lease(self) -> int:
        """How many tokens are fetched at once: few enough to matter to nobody."""
        return max(1, self.burst // _SHARE_OF_BURST)


class Grant(NamedTuple):
    """``number`` tokens, or none and the microseconds until there is one."""

    number: int
    wait: int = 0


Take = Callable[[str, int, int], Grant]
"""Takes up to so many tokens (the second argument) out of a bucket at a time in microseconds (the third)."""


def take(full_at: int, limit: Limit, *, wanted: int, now: int) -> tuple[int, Grant]:
    """Take up to ``wanted`` tokens out of a bucket; return when it is full again, and what was got."""
    fills_in = min(max(full_at - now, 0), limit.burst * limit.period)
    number = min(wanted, limit.burst - -(-fills_in // limit.period))
    if number < 1:
        return now + fills_in, Grant(0, fills_in - (limit.burst - 1) * limit.period)
    return now + fills_in + number * limit.period, Grant(number)


def in_memory(limit: Limit) -> Take:
    """Return buckets of this process alone."""
    buckets: dict[str, int] = {}
    lock = threading.Lock()

    def take_one(key: str, wanted: int, now: int) -> Grant:
        with lock:
            buckets[key], grant = take(buckets.get(key, now), limit, wanted=wanted, now=now)
        return grant

    return take_one


def in_redis(limit: Limit, url: str) -> Take:
    """Return buckets that all processes share; the clock is Redis's own, whatever the clocks of the processes say.

    Where Redis does not answer, everything is let through, and it is not asked again for five seconds: the limit
    keeps neighbors apart, which is worth less than the service itself. The log tells of it once a minute.
    """
    patience = {"socket_timeout": _TIMEOUT_SECONDS, "socket_connect_timeout": _TIMEOUT_SECONDS}
    script = Redis.from_url(url, retry=Retry(NoBackoff(), 1), **patience).register_script(_SCRIPT)
    away_until, told_at = 0, -_NEWS_INTERVAL

    def take_shared(key: str, wanted: int, now: int) -> Grant:
        nonlocal away_until, told_at
        if now < away_until:
            return Grant(wanted)
        try:
            answer: Any = script(keys=[f"scim:rate:{key}"], args=[limit.period, limit.burst, wanted])
        except RedisError:
            away_until = now + _AWAY
            if now - told_at >= _NEWS_INTERVAL:
                told_at = now
                logger.warning("Redis does not answer: the rates of SCIM requests are not limited", exc_info=True)
            return Grant(wanted)
        return Grant(*answer)

    return take_shared


class Rates:
    """The tokens that this process holds of each configuration; safe to use from several threads."""

    def __init__(self, take: Take, lease: int) -> None:
        self._take, self._lease = take, lease
        self._lock = threading.Lock()
        self._held: dict[str, tuple[int, int]] = {}
        self._told: dict[str, int] = {}

    def check(self, key: str, now: int) -> None:
        """Spend a token of ``key`` at a time in microseconds. Raises ``TooManyRequests``, news once a minute."""
        if self._spend(key, now):
            return
        grant = self._take(key, self._lease, now)
        if grant.number:
            self._hold(key, grant.number - 1, now)
            return
        with self._lock:
            is_news = now - self._told.get(key, -_NEWS_INTERVAL) >= _NEWS_INTERVAL
            if is_news:
                self._told[key] = now
        raise TooManyRequests(retry_after=max(1, -(-grant.wait // SECOND)), is_news=is_news)

    def _spend(self, key: str, now: int) -> bool:
        with self._lock:
            number, until = self._held.get(key, (0, 0))
            if number < 1 or now >= until:
                return False
            self._held[key] = (number - 1, until)
            return True

    def _hold(self, key: str, number: int, now: int) -> None:
        with self._lock:
            held, until = self._held.get(key, (0, 0))
            self._held[key] = (number + (held if now < until else 0), now + _LEASE)


@once
def rates(rate: int, burst: int, redis_url: str) -> Rates | None:
    """Return this process's rates for these settings; None where ``rate`` is 0, so that nothing is limited."""
    if not rate:
        return None
    limit = Limit(rate, burst)
    return Rates(in_redis(limit, redis_url), limit.lease) if redis_url else Rates(in_memory(limit), 1)


# ``take``, in Lua: one round trip, and nobody comes in between.
_SCRIPT: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local period, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
local fills_in = math.min(math.max(full_at - now, 0), burst * period)
local number = math.min(wanted, burst - math.ceil(fills_in / period))
if number < 1 then
    return {0, fills_in - (burst - 1) * period}
end
local after = string.format('%.0f', now + fills_in + number * period)
redis.call('SET', KEYS[1], after, 'PX', math.ceil(burst * period / 1000))
return {number, 0}
"""
