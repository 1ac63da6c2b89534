"""Processes that are killed without warning and started again."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


class NotInTime(Exception):
    """Something that had to happen did not; the message says what."""


def until(fact: Callable[[], object], what: str, seconds: float = 180) -> None:
    """Wait until ``fact`` is true. Raises ``NotInTime``."""
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            raise NotInTime(f"{what}, not within {seconds:.0f} seconds")
        time.sleep(0.05)


class MortalWorker:
    """The product's worker, born of ``tests.faults.worker``; its words go to a file."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        words = [sys.executable, "-m", "tests.faults.worker", *arguments]
        self._pid = 0
        with log.open("wb") as errors:
            self._mother = subprocess.Popen(
                words,
                cwd=ROOT,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )

    def start(self, death: str = "") -> None:
        """Start a worker, which dies at the call that is named."""
        assert self._mother.stdin
        assert self._mother.stdout
        print(death, file=self._mother.stdin, flush=True)
        self._pid = int(self._mother.stdout.readline())

    @property
    def lives(self) -> bool:
        return self._pid > 0 and Path(f"/proc/{self._pid}").exists()

    def kill(self) -> None:
        """Kill -9 the worker and its children, if it lives, and return when it is gone."""
        if self.lives:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
            until(lambda: not self.lives, "the worker is gone")

    def end(self) -> None:
        """Kill the worker, and end the process that bears workers."""
        self.kill()
        self._mother.communicate()


class MortalVaultServer:
    """``manage.py vaultserver`` on one port and one data file; its words go to a file."""

    def __init__(self, environment: Mapping[str, str], folder: Path, *, port: int, token: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.data = folder / "vaults.sqlite3"
        self._token = token
        self._words = [sys.executable, "manage.py", "vaultserver", "--port", str(port), "--data", str(self.data)]
        self._environment, self._log = environment, folder / "vaultserver.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when the server answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._words, cwd=ROOT, env=dict(self._environment), stdout=log, stderr=log, start_new_session=True
            )
        until(self._answers, "the vault server answers")

    def kill(self) -> None:
        """Kill -9 the server, and return when it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def admin(self, path: str) -> None:
        """Do what a person does in M-Files Admin."""
        httpx.post(f"{self.url}/admin/{path}", headers=self._headers, json={}, timeout=30).raise_for_status()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, "the vault server ended by itself"
        try:
            return httpx.get(f"{self.url}/v1/server", headers=self._headers, timeout=5).is_success
        except httpx.TransportError:
            return False
