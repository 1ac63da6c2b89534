"""One thing is made for all threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest

from provisioning.once import once

THREADS = 16


def made_by(keep) -> int:
    """Return how many things threads that ask at the same moment get from a function that is kept so."""
    gate = threading.Barrier(THREADS)

    @keep
    def make() -> object:
        time.sleep(0.05)
        return object()

    def ask(_number: int) -> object:
        gate.wait(timeout=30)
        return make()

    with ThreadPoolExecutor(THREADS) as threads:
        return len({id(thing) for thing in list(threads.map(ask, range(THREADS)))})


def test_threads_that_ask_at_the_same_moment_get_one_thing():
    assert made_by(once) == 1


def test_the_cache_of_the_standard_library_makes_several():
    assert made_by(cache) > 1


def test_other_arguments_get_another_thing_the_same_ones_the_same():
    make = once(lambda number, *, name="": [number, name])

    assert make(1) is make(1)
    assert make(1, name="a") is make(1, name="a")
    assert make(1) is not make(2)


def test_what_is_forgotten_is_made_anew():
    make = once(object)
    first = make()

    make.cache_clear()

    assert make() is not first


def test_what_could_not_be_made_is_tried_again():
    tries: list[int] = []

    @once
    def make() -> str:
        tries.append(len(tries))
        if len(tries) == 1:
            raise OSError("not yet")
        return "made"

    with pytest.raises(OSError, match="not yet"):
        make()
    assert (make(), make(), tries) == ("made", "made", [0, 1])
