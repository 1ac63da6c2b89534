"""Who changes an account and who looks at it at the same moment: nobody waits in a circle, and no change is missed."""

import threading
import time

import pytest
from django.db import OperationalError, connection

from licensing.reconcilers import licenses
from licensing.services import bulk
from tests.factories import NOON, due_ids, make_account, make_configuration
from tests.licensing.people import READ_ONLY, disable, has, purchase, reconcile
from tests.races import together

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def account():
    configuration = make_configuration(default_license_type=READ_ONLY)
    purchase(configuration.subscription, read_only=1)
    return make_account(configuration)


def meet(account, monkeypatch):
    """Disable the account just when a pass has taken its due row away, and commit the pass when that waits for it."""
    remove, is_removed = bulk.remove, threading.Event()

    def removed(*arguments, **options):
        remove(*arguments, **options)
        is_removed.set()
        wait_for_a_lock()

    monkeypatch.setattr(bulk, "remove", removed)

    def deed(number):
        if number == 0:
            return licenses._pass(account.subscription_id, NOON, 10)
        is_removed.wait(timeout=10)
        return disable(account)

    outcomes = together(2, deed)
    monkeypatch.setattr(bulk, "remove", remove)
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]


def wait_for_a_lock():
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with connection.cursor() as cursor:
        for _ in range(200):
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
            time.sleep(0.05)
    raise AssertionError("nobody waits")


def test_a_change_that_waits_for_a_pass_makes_the_account_due_again(account, monkeypatch):
    assert meet(account, monkeypatch) == []
    assert (due_ids(), has(account)) == ({account.pk}, READ_ONLY)

    reconcile(account.subscription)

    assert due_ids() == set()


def test_without_early_checks_of_foreign_keys_they_wait_in_a_circle(account, monkeypatch):
    monkeypatch.setattr(licenses, "execute", lambda _: None)

    [error] = meet(account, monkeypatch)

    assert isinstance(error, OperationalError)
    assert "deadlock" in str(error)
