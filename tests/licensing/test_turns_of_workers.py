"""Real workers, three vaults that answer after five seconds and two that never do: a healthy one does not notice."""

import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.utils import timezone

from licensing import tasks
from licensing.models import VaultStatus, VaultUser
from licensing.services import turns
from licensing.sweep import EMBEDDED_WORKER, sweep_once
from licensing.vaultserver.app import Application
from licensing.vaultserver.core import VaultServer
from licensing.vaultserver.faults import Faults
from licensing.vaultserver.serving import listen, serving
from mfmanage.celery import app
from provisioning.license_types import LicenseType
from tests.factories import make_account, make_configuration, make_group, make_link, make_subscription, make_vault
from tests.licensing.people import change_members, purchase
from tests.licensing.worlds import World

pytestmark = pytest.mark.processes
SLOTS = 4
WITHIN = 10.0
"""Seconds: a worker starts a turn at once; what is left is for a machine with more to do than this test."""


@contextmanager
def vault_server(latency=0.0):
    server = VaultServer()
    server.faults.put(Faults(latency=latency))
    application = Application(server, token=settings.VAULT_AGENT_TOKEN)
    with listen("127.0.0.1", 0) as listener, serving(application, listener) as url:
        yield server, url
    server.close()


@contextmanager
def silence():
    """The address of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def workers(environment):
    """A worker with four slots: the embedded one, which sweeps by itself, or one at the broker."""
    at_broker = settings.CELERY_BROKER_URL != "memory://"
    words = [*EMBEDDED_WORKER, "--concurrency", str(SLOTS)] if at_broker else EMBEDDED_WORKER
    slots = {"MFMANAGE_WORKER_SLOTS": str(SLOTS)}
    process = subprocess.Popen([sys.executable, *words], env=environment | slots, cwd=settings.BASE_DIR)
    try:
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def until(fact, seconds):
    """How long it took until the fact was there. Fails when it takes longer than ``seconds``."""
    began = time.monotonic()
    while not fact():
        assert time.monotonic() - began < seconds, "it takes too long"
        time.sleep(0.05)
    return time.monotonic() - began


def held_by_slow():
    return VaultStatus.objects.filter(turns.SLOW, lease_until__gt=timezone.now()).count()


def test_slow_and_dead_vaults_do_not_delay_a_healthy_one(transactional_db, child_environment):
    app.control.purge()
    subscription = make_subscription()
    purchase(subscription, read_only=20)
    configuration = make_configuration(subscription, default_license_type=LicenseType.READ_ONLY)
    group = make_group(configuration, "Legal", members=[make_account(configuration)])
    with vault_server() as (server, url), vault_server(latency=5.0) as (_, slow_url), silence() as silent_url:
        world = World(subscription, configuration, server, make_vault(subscription, "Healthy", agent_url=url))
        make_link(group, world.vault, "Lawyers")
        sweep_once(timezone.now())
        assert len(world.users()) == 1
        for address in (slow_url, slow_url, slow_url, silent_url, "http://127.0.0.1:1"):
            make_link(group, make_vault(subscription, agent_url=address), "Lawyers")
        with workers(child_environment):
            tasks.sweep_all.apply_async()
            until(lambda: held_by_slow() == turns.most_slow(SLOTS), 60)

            waits = [wait_for_a_new_member(world, group) for _ in range(4)]

    assert max(waits) < WITHIN, waits


def wait_for_a_new_member(world, group):
    """Return how long the healthy vault took, while slow vaults held their share of the slots, and never more."""
    account = make_account(world.configuration)
    change_members(group, add=[account])
    most = []

    def is_there():
        most.append(held_by_slow())
        return VaultUser.objects.filter(vault=world.vault, account=account, seen_enabled=True).exists()

    waited = until(is_there, 60)
    assert max(most) <= turns.most_slow(SLOTS)
    return waited
