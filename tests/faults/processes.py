"""Processes that are killed without warning and started again."""

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


def until(fact: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait until ``fact`` is true. Raises ``NotInTime``."""
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            raise NotInTime(f"{what}, not within {seconds:.0f} seconds")
        time.sleep(0.05)


class Mortal:
    """A Python process of its own session, so that its children die with it; its words go to a file."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._words, self._environment, self._log = words, environment, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **more: str) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._words],
                cwd=ROOT,
                env={**self._environment, **more},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Kill -9 the process and its children, if it lives, and return when it is gone."""
        if self._process is None:
            return
        if self.lives:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class MortalVaultServer(Mortal):
    """``manage.py vaultserver`` on one port and one data file."""

    def __init__(self, environment: Mapping[str, str], folder: Path, *, port: int, token: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.data = folder / "vaults.sqlite3"
        self._token = token
        words = ["manage.py", "vaultserver", "--port", str(port), "--data", str(self.data)]
        super().__init__(words, environment, folder / "vaultserver.log")

    def start_and_wait(self) -> None:
        self.start()
        until(self._answers, "the vault server answers")

    def admin(self, path: str) -> None:
        """Do what a person does in M-Files Admin."""
        httpx.post(f"{self.url}/admin/{path}", headers=self._headers, json={}, timeout=30).raise_for_status()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _answers(self) -> bool:
        assert self.lives, "the vault server ended by itself"
        try:
            return httpx.get(f"{self.url}/v1/server", headers=self._headers, timeout=5).is_success
        except httpx.TransportError:
            return False
