"""Run a deed many times at once, each in a thread with a database connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def together(times: int, deed: Callable[[int], T]) -> list[T | Exception]:
    """Return what ``deed(0)``, ``deed(1)``, … returned or raised; all are let go at the same moment."""
    gate = threading.Barrier(times)

    def run(number: int) -> T | Exception:
        try:
            connection.ensure_connection()
            gate.wait(timeout=30)
            return deed(number)
        except Exception as error:  # noqa: BLE001  the race's outcome is the test's subject
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(run, range(times)))
