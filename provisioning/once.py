"""What a process makes once and keeps, however many threads ask for the first time at the same moment."""

import threading
from collections.abc import Callable
from functools import cache, update_wrapper
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class once(Generic[P, T]):  # noqa: N801  a decorator, named like ``functools.cache``
    """Make one thing for each combination of arguments, which are hashable; threads that ask meanwhile wait for it.

    ``functools.cache`` may call the function once for each of these threads, which does for what is the same each
    time (``functools.lru_cache`` in Python's documentation), but not for counters, buckets, locks and connections.
    """

    def __init__(self, make: Callable[P, T]) -> None:
        update_wrapper(self, make)
        kept = cache(make)
        self._lock = threading.Lock()
        self._made: Callable[P, T] = kept
        self.cache_clear = kept.cache_clear

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._lock:
            return self._made(*args, **kwargs)
