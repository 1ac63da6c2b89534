"""Hints, sweep and real Celery workers: whatever becomes of a message, what is due is done."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from licensing import embedded, handlers, tasks
from licensing.models import LicenseGrant, VaultUser
from licensing.reconcilers import licenses
from licensing.services import leases
from licensing.services.due import due_subscriptions
from licensing.sweep import EMBEDDED_WORKER, due_vaults, sweep_once
from licensing.vaultserver.faults import Faults
from mfmanage.celery import app
from provisioning.models import VaultUserGroup
from tests.factories import (
    NOON,
    make_account,
    make_admin,
    make_configuration,
    make_group,
    make_link,
    make_subscription,
    make_vault,
)
from tests.licensing.people import NAMED, READ_ONLY, purchase

pytestmark = pytest.mark.processes
WORKER = ["-m", "celery", "--quiet", "-A", "mfmanage.celery", "worker", "--concurrency", "1", "--loglevel", "WARNING"]


@contextmanager
def running(argv, environment):
    """A child process for as long as the block runs; then it must end by SIGTERM."""
    process = subprocess.Popen([sys.executable, *argv], env=environment, cwd=settings.BASE_DIR, start_new_session=True)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until(fact, seconds=30):
    deadline = time.monotonic() + seconds
    while not fact() and time.monotonic() < deadline:
        time.sleep(0.05)
    return fact()


def granted():
    return LicenseGrant.objects.filter(granted_type=READ_ONLY).count()


def furnish():
    subscription = make_subscription()
    purchase(subscription, read_only=9)
    return make_configuration(subscription, default_license_type=READ_ONLY)


@pytest.mark.sqlite
def test_the_embedded_worker_finds_everything_by_itself_and_stops_when_told(transactional_db, child_environment):
    configuration = furnish()
    make_account(configuration)

    with running(EMBEDDED_WORKER, child_environment):
        assert until(lambda: granted() == 1)
        account = make_account(configuration)
        make_link(make_group(configuration, "Legal", members=[account]), make_vault(configuration.subscription))

        assert until(lambda: granted() == 2)
        assert until(lambda: VaultUser.objects.filter(seen_enabled=True).count() == 1)


@pytest.mark.sqlite
def test_an_embedded_worker_that_was_killed_is_no_loss(transactional_db, child_environment):
    configuration = furnish()
    make_account(configuration)
    process = subprocess.Popen([sys.executable, *EMBEDDED_WORKER], env=child_environment, cwd=settings.BASE_DIR)
    process.kill()
    process.wait()

    with running(EMBEDDED_WORKER, child_environment):
        assert until(lambda: granted() == 1)


@pytest.mark.postgresql
def test_a_hint_through_redis_reaches_a_worker(transactional_db, child_environment):
    app.control.purge()
    configuration = furnish()
    with running(WORKER, child_environment):
        make_account(configuration)

        assert until(lambda: granted() == 1)


@pytest.mark.postgresql
def test_a_lost_hint_is_found_by_the_sweep(transactional_db, child_environment):
    app.control.purge()
    make_account(furnish())
    app.control.purge()

    with running(WORKER, child_environment):
        tasks.sweep_all.apply_async()

        assert until(lambda: granted() == 1)


@pytest.mark.postgresql
def test_a_burst_of_changes_costs_one_message(transactional_db, monkeypatch):
    monkeypatch.setattr(handlers, "WINDOW_SECONDS", 60.0)
    monkeypatch.setattr(handlers, "hints", handlers.Hints())
    app.control.purge()
    subscription = make_subscription()

    for _ in range(50):
        handlers.directory_changed(subscription_id=subscription.pk)
    handlers.directory_changed(subscription_id=subscription.pk + 1)

    assert app.control.purge() == 2


def test_the_next_window_gets_a_hint_of_its_own():
    hints = handlers.Hints()

    turns = [hints._take_turn(1, now) for now in (10.0, 10.1, 10.24, 10.25, 10.3)]

    assert turns == [True, False, False, True, False]


TIMED = """
import time, django
django.setup()
from django.core.management import call_command
started = time.monotonic()
call_command("createsubscription", "Fabrikam", "--license", "named=1", "--json")
print(time.monotonic() - started)
"""


def test_a_dead_broker_holds_nobody_and_is_left_alone_for_a_while(transactional_db, child_environment):
    environment = child_environment | {"MFMANAGE_REDIS_URL": "redis://127.0.0.1:1/0"}

    words = [sys.executable, "-c", TIMED]
    done = subprocess.run(words, env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("the broker cannot be reached") == 1
    assert float(done.stdout.splitlines()[-1]) < 5
    assert len(due_subscriptions(timezone.now())) == 1


@pytest.mark.sqlite
def test_the_embedded_web_process_publishes_nothing(db, monkeypatch):
    monkeypatch.setattr(handlers.hints, "hint", lambda _: pytest.fail("published"))

    handlers.directory_changed(subscription_id=1)


@pytest.mark.sqlite
def test_the_sweeper_calls_a_task_once_until_it_has_ended(db, monkeypatch):
    make_account(furnish())
    called = []

    def remember(*, kwargs):
        called.append(kwargs)

    monkeypatch.setattr(tasks.reconcile_licenses, "apply_async", remember)
    sweeper = embedded.Sweeper()

    sweeper._sweep()
    sweeper._sweep()
    assert len(called) == 1
    sweeper._ended(kwargs=called[0])
    sweeper._sweep()

    assert len(called) == 2


def test_beat_sweeps_every_half_minute():
    entry = settings.CELERY_BEAT_SCHEDULE["sweep"]

    assert (app.tasks[entry["task"]].name, entry["schedule"]) == ("licensing.sweep", 30)


def test_a_sweep_of_nothing_does_nothing(db):
    licenses, users = sweep_once(NOON)

    assert (licenses.accounts, users.created) == (0, 0)


def test_a_task_passes_over_what_a_newer_version_says(world):
    account = make_account(world.configuration)

    tasks.reconcile_licenses.run(subscription_id=world.subscription.pk, hurry=True)
    tasks.reconcile_vault.run(vault_id=world.vault.pk, hurry=True)

    assert LicenseGrant.objects.get(account=account).granted_type == READ_ONLY


def test_who_does_not_hold_the_lease_neither_works_nor_records(world):
    make_link(make_group(world.configuration, members=[make_account(world.configuration)]), world.vault)
    assert due_vaults(NOON) == [world.vault.pk]
    first = leases.acquire(world.vault.pk, NOON)
    assert first
    assert leases.acquire(world.vault.pk, NOON) is None
    assert due_vaults(NOON) == []

    second = leases.acquire(world.vault.pk, NOON + leases.LENGTH)

    assert second
    with pytest.raises(leases.LeaseLost), first.recording():
        pass
    first.until = first.start
    with pytest.raises(leases.LeaseLost):
        first.renew()
    first.release()
    assert leases.acquire(world.vault.pk, NOON + leases.LENGTH) is None
    second.release()
    world.sweep()
    assert len(world.users()) == 1


def test_one_vault_that_is_down_does_not_delay_another(world):
    group = make_group(world.configuration, members=[make_account(world.configuration)])
    other = make_vault(world.subscription, agent_url=world.vault.agent_url)
    make_link(group, world.vault)
    make_link(group, other)
    world.server.faults.put(Faults(down=True), vault=world.guid)

    world.sweep()

    assert VaultUser.objects.get(vault=other).seen_enabled
    assert not VaultUser.objects.get(vault=world.vault).seen_enabled


@pytest.mark.parametrize("flag", ["on", "off"])
def test_a_vault_without_an_address_lives_in_the_emulation_of_the_process(db, flag, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    configuration = furnish()
    call_command("createvault", configuration.subscription.name, "Own", user_synchronization=flag)
    account = make_account(configuration)
    make_link(make_group(configuration, members=[account]), configuration.subscription.vaults.get(), "Lawyers")

    sweep_once(timezone.now())

    assert VaultUser.objects.get(account=account).seen_enabled is (True if flag == "off" else None)
    assert configuration.subscription.vaults.get().user_synchronization is (flag == "on")
    assert bool(VaultUserGroup.objects.get(name="Lawyers").remote_id) is (flag == "off")


def test_a_purchase_makes_a_subscription_due_although_no_account_changed(db):
    configuration = make_configuration(default_license_type=NAMED)
    account = make_account(configuration)
    sweep_once(NOON)
    purchase(configuration.subscription, named=1)
    assert due_subscriptions(NOON) == [configuration.subscription_id]

    sweep_once(NOON)

    assert LicenseGrant.objects.get(account=account).granted_type == NAMED
    assert due_subscriptions(NOON) == []


@pytest.mark.sqlite
def test_the_embedded_worker_writes_a_mail_when_a_pool_is_full(transactional_db, child_environment, tmp_path):
    configuration = furnish()
    purchase(configuration.subscription, read_only=1)
    make_admin(configuration.subscription, "root@contoso.example")
    make_account(configuration)
    licenses.reconcile(configuration.subscription_id, now=timezone.now())

    with running(EMBEDDED_WORKER, child_environment | {"MFMANAGE_MAIL": f"file:{tmp_path}"}):
        assert until(lambda: "All Read only licenses are in use: 1 of 1." in "".join(written(tmp_path)))

    assert "To: root@contoso.example" in "".join(written(tmp_path))


def written(folder):
    return [path.read_text() for path in folder.iterdir()]
