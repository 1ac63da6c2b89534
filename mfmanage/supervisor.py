"""Start the processes of an embedded installation together, and leave none behind."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn, Self

SUPERVISED: Final = Path(__file__).with_name("supervised.py")
READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 1.8
POLL_SECONDS: Final = 0.05
REMEMBERED_LINES: Final = 20


class ChildDied(Exception):
    """A child ended although nobody asked it to; the message has its exit code and last lines."""


class ChildNotReady(Exception):
    """A child was not ready in time; the message has its last lines."""


@dataclass(eq=False)
class Child:
    """One process: ``argv`` is run with exactly ``env``; it serves once ``ready`` returns True (asked often)."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    ready: Callable[[], bool]
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED_LINES))

    def start(self, forward: Callable[[str], object]) -> None:
        """Start the process in a session of its own; it ends when this process lets go of its standard input."""
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", str(SUPERVISED), *self.argv],
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self._read, args=[forward], daemon=True)
        self.reader.start()

    def _read(self, forward: Callable[[str], object]) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                text = line.decode(errors="replace").rstrip()
                self.lines.append(text)
                with contextlib.suppress(OSError):  # nobody listens; the child must not block on a full pipe
                    forward(f"{self.name} | {text}")

    def check(self) -> None:
        """Raises ``ChildDied`` when the process has ended."""
        code = self.process.poll()
        if code is not None:
            self.reader.join(POLL_SECONDS)
            raise ChildDied(f"{self.name} ended with exit code {code}. Its last lines:\n{self.last_words()}")

    def last_words(self) -> str:
        """Return the last lines that the process wrote, indented."""
        return "\n".join(f"  {line}" for line in self.lines)

    def stop(self, deadline: float) -> None:
        """Let go of the process, wait for its end until ``deadline`` (monotonic), then kill what is left."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reader.join(POLL_SECONDS)


def to_stderr(line: str) -> None:
    """Print ``line`` on standard error."""
    print(line, file=sys.stderr, flush=True)


class Supervisor:
    """A context manager around ``children``: started in order and ready inside, stopped in reverse order after.

    SIGTERM to this process raises ``SystemExit`` inside the context, as Ctrl-C raises ``KeyboardInterrupt``. Should
    this process be killed, every child ends all the same. To be used from the main thread.
    """

    def __init__(self, children: Sequence[Child], *, forward: Callable[[str], object] = to_stderr) -> None:
        self.children = children
        self.forward = forward
        self.started: list[Child] = []

    def __enter__(self) -> Self:
        """Start all. Raises ``ChildDied`` or ``ChildNotReady``."""
        self.previous_handler = signal.signal(signal.SIGTERM, _terminated)
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start every child, then wait until each is ready. Raises ``ChildDied`` or ``ChildNotReady``."""
        for child in self.children:
            child.start(self.forward)
            self.started.append(child)
        deadline = time.monotonic() + READY_SECONDS
        for child in self.children:
            while not child.ready():
                self.check()
                if time.monotonic() > deadline:
                    raise ChildNotReady(f"{child.name} is not ready. Its last lines:\n{child.last_words()}")
                time.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Raises ``ChildDied`` when a child has ended."""
        for child in self.started:
            child.check()

    def wait(self) -> NoReturn:
        """Watch the children until Ctrl-C (``KeyboardInterrupt``) or SIGTERM. Raises ``ChildDied``."""
        while True:
            self.check()
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop what was started, the last one first, in ``STOP_SECONDS`` at most; impatience is ignored meanwhile."""
        ignored = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        deadline = time.monotonic() + STOP_SECONDS
        while self.started:
            self.started.pop().stop(deadline)
        signal.signal(signal.SIGINT, ignored[signal.SIGINT])
        signal.signal(signal.SIGTERM, self.previous_handler)


def _terminated(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
