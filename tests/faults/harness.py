"""Kill the vault server and the worker again and again while people come, go and change."""

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from licensing import sweep, tasks
from licensing.clients.http import HttpVaultAgent
from licensing.models import Ending, VaultStatus, VaultUser
from licensing.services import due
from mfmanage.celery import app as celery
from mfmanage.embedded import free_port
from tests.faults.processes import MortalVaultServer, MortalWorker, until
from tests.faults.verdict import complaints
from tests.faults.worker import CALLS, MOMENTS
from tests.faults.world import World

WATCHED = 6
"""Every so many outages of the vault server last until they are shown; the others end at once."""
ON_REDIS = (
    *("--quiet", "-A", "mfmanage.celery", "worker", "--concurrency", "1", "--loglevel", "WARNING"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    users: int
    vault_kills: int
    worker_kills: int
    restores: int
    seed: int = 1


@dataclass(slots=True)
class Report:
    """``samples`` count in which state the vault was shown, and why, ten times a second; ``shown_after`` are seconds
    from the death of the vault server until the outage was shown; ``writes`` are changing calls the server carried out;
    ``brought_back`` are members of a *merge* target who had left it and whom only the backup put there again.
    """

    complaints: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    samples: Counter[tuple[str, str]] = field(default_factory=Counter)
    shown_after: list[float] = field(default_factory=list)
    changes: int = 0
    vault_users: int = 0
    writes: int = 0
    brought_back: int = 0
    members: int = 0
    seconds: float = 0.0
    quiet_after: float = 0.0

    @property
    def unexplained(self) -> int:
        """How many samples showed trouble without a reason."""
        return sum(number for (state, reason), number in self.samples.items() if state != Ending.READY and not reason)


class Harness:
    """One run of ``plan`` in ``folder``, with the database and broker of ``environment``."""

    def __init__(self, plan: Plan, folder: Path, environment: Mapping[str, str]) -> None:
        self.plan, self.report = plan, Report()
        self._random = random.Random(plan.seed)
        self.server = MortalVaultServer(environment, folder, port=free_port(), token=settings.VAULT_AGENT_TOKEN)
        arguments = sweep.EMBEDDED_WORKER[2:] if settings.CELERY_BROKER_URL == "memory://" else ON_REDIS
        self.worker = MortalWorker(arguments, environment, folder / "worker.log")
        self._world: World
        self._backup: set[str] = set()
        self._steady, self._ended = threading.Lock(), threading.Event()

    def run(self) -> Report:
        """Carry the plan out and return what was seen. Raises ``NotInTime`` and whatever a thread of it raises."""
        self.server.start()
        try:
            self._world = World(self.plan.users, self.server.url, self._random)
            self.worker.start()
            until(self._world.made, "the worker makes vault users")
            begun = time.monotonic()
            self._make_trouble()
            self.report.seconds = time.monotonic() - begun
            self._calm_down()
            self._judge()
        finally:
            self._ended.set()
            self.worker.end()
            self.server.kill()
        return self.report

    def _make_trouble(self) -> None:
        parts = [self._kill_server, self._kill_worker, self._change]
        with ThreadPoolExecutor(len(parts) + 2) as threads:
            aside = [threads.submit(self._in_thread, part) for part in (self._watch, self._sweep)]
            _all_done([threads.submit(self._in_thread, part) for part in parts], self._ended)
            _all_done(aside, self._ended)

    def _in_thread(self, part: Callable[[], None]) -> None:
        """Do a part of the trouble; when it fails, the others end too."""
        try:
            part()
        except BaseException:
            self._ended.set()
            raise
        finally:
            connection.close()

    def _kill_server(self) -> None:
        """Kill the server at random moments; back it up early and restore it in the middle."""
        backed_up, restores = 0, self.plan.restores
        for number in range(self.plan.vault_kills):
            if restores and number == self.plan.vault_kills // 8:
                self.server.admin("backups/early")
                backed_up, self._backup = self._remembered(), self._merged()
            if 0 <= number - self.plan.vault_kills // 2 < restores:
                self.report.writes += self._remembered() - backed_up
                self.server.admin("backups/early/restore")
                self.report.kills["restores"] += 1
            self._pause(0.5)
            if number % WATCHED:
                self.server.kill()
            else:
                self._kill_until_shown()
            self.report.kills["vault server"] += 1
            self.server.start()
        self.report.writes += self._remembered()

    def _kill_until_shown(self) -> None:
        """Keep the server down until the vault is shown as in trouble, with a reason; the worker lives meanwhile."""
        with self._steady:
            until(lambda: self._status().state == Ending.READY, "the vault is in line for a moment")
            self.server.kill()
            begun = time.monotonic()
            until(lambda: self._status().state == Ending.RETRYING and self._status().reason, "the outage is shown", 60)
            self.report.shown_after.append(time.monotonic() - begun)

    def _kill_worker(self) -> None:
        """Kill the worker while it has the vault's lease; the one after it dies by itself at a call to the vault."""
        while self.report.kills["worker"] < self.plan.worker_kills:
            with self._steady:
                self._pause(0.3)
                self._bury_worker()
                self.worker.start(f"{self._random.choice(CALLS)}:{self._random.choice(MOMENTS)}")
                self._wait_for_death()
                self._start_worker()
            time.sleep(0.2)

    def _start_worker(self) -> None:
        """Return when the worker speaks with the vault, which it can once the lease of the dead one has run out."""
        dead = self._status().lease_token
        self.worker.start()
        until(lambda: self._status().lease_token not in (None, dead), "the worker takes the lease")

    def _wait_for_death(self) -> None:
        """A worker that has had nothing to do at its call until now is killed."""
        deadline = time.monotonic() + 10
        while self.worker.lives and time.monotonic() < deadline:
            time.sleep(0.03)
        self.report.kills["worker at a call"] += not self.worker.lives
        self._bury_worker()

    def _bury_worker(self) -> None:
        """Kill the worker; whatever messages wait for it are lost with it."""
        self.worker.kill()
        celery.control.purge()
        self.report.kills["worker"] += 1

    def _change(self) -> None:
        """Let people join evenly over the kills, and change those who have, until no more kills come."""
        while not self._ended.is_set() and (left := self._kills_left()):
            self._world.grow(int(self.plan.users * (1 - left)) - self._world.joined)
            for _ in range(5):
                self._world.change()
                self._ended.wait(0.2)
        self._world.grow(self.plan.users)

    def _kills_left(self) -> float:
        """Return the share of the planned kills that are still to come."""
        planned = self.plan.vault_kills + self.plan.worker_kills
        return max(0.0, 1 - (self.report.kills["vault server"] + self.report.kills["worker"]) / planned)

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            status = self._status()
            self.report.samples[status.state, status.reason] += 1
            if self.report.samples.total() % 300 == 0:
                print(time.strftime("%H:%M:%S"), dict(self.report.kills), f"{self._world.joined} joined", flush=True)

    def _sweep(self) -> None:
        """Stand for beat, which sends nothing but this; the embedded worker sweeps by itself."""
        while settings.CELERY_BROKER_URL != "memory://" and not self._ended.wait(0.5):
            tasks.sweep_all.apply_async()

    def _calm_down(self) -> None:
        """Wait until nothing is due, compare in full, and wait again."""
        begun = time.monotonic()
        if not self.worker.lives:
            self.worker.start()
        for _ in range(2):
            until(self._is_quiet, "nothing is due any more", seconds=900)
            VaultStatus.objects.update(compare_due_at=timezone.now())
        until(self._is_quiet, "nothing is due after a full comparison", seconds=900)
        self.report.quiet_after = time.monotonic() - begun

    def _is_quiet(self) -> bool:
        now = timezone.now()
        if settings.CELERY_BROKER_URL != "memory://":
            tasks.sweep_all.apply_async()
            time.sleep(0.5)
        is_due = due.due_subscriptions(now) or VaultUser.objects.filter(due_at__isnull=False).exists()
        status = self._status()
        return (
            not is_due and status.lease_token is None and status.state == Ending.READY and status.compare_due_at > now
        )

    def _judge(self) -> None:
        with HttpVaultAgent(self.server.url, token=settings.VAULT_AGENT_TOKEN) as agent:
            self.report.complaints, back = complaints(self._world, agent), self._world.brought_back(agent)
        self.report.brought_back = len(back)
        self.report.complaints += [f"{key} is in Legal, unwanted" for key in back - self._backup]
        self.report.changes, self.report.vault_users = self._world.changes, self._world.made()
        self.report.members = sum(map(len, self._world.wanted().values()))

    def _merged(self) -> set[str]:
        with HttpVaultAgent(self.server.url, token=settings.VAULT_AGENT_TOKEN) as agent:
            return self._world.members(agent, "Legal")

    def _status(self) -> VaultStatus:
        return VaultStatus.objects.get(vault=self._world.vault)

    def _remembered(self) -> int:
        """How many changing calls the server remembers to have carried out."""
        with sqlite3.connect(self.server.data) as db:
            return int(db.execute("SELECT count(*) FROM answer").fetchone()[0])

    def _pause(self, longest: float) -> None:
        time.sleep(self._random.uniform(0, longest))


def _all_done(parts: list["Future[None]"], ended: threading.Event) -> None:
    try:
        for part in parts:
            part.result()
    finally:
        ended.set()
