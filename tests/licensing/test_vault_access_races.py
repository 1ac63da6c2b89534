"""An admin decides about a vault user while a worker looks at its account: nobody waits in a circle."""

import threading
import time

import pytest
from django.db import OperationalError, connection

from licensing.models import VaultUser
from licensing.reconcilers import licenses
from provisioning.models import LoginAccount, VaultAccess
from provisioning.services import vault_access
from provisioning.services.accounts import touch_accounts
from tests.factories import ACTOR, NOON, due_ids, make_account, make_configuration, make_group, make_link, make_vault
from tests.licensing.people import READ_ONLY, change_account, purchase, reconcile
from tests.races import together

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def user():
    """A vault user that a person disabled, whose account was changed since a worker looked at it."""
    configuration = make_configuration(default_license_type=READ_ONLY)
    purchase(configuration.subscription, read_only=1)
    account = make_account(configuration)
    make_link(make_group(configuration, members=[account]), make_vault(configuration.subscription))
    reconcile(configuration.subscription)
    VaultUser.objects.update(seen_enabled=False, disabled_by=VaultUser.DisabledBy.PERSON)
    change_account(account, full_name="Ann Smith")
    return VaultUser.objects.get()


def enable(user):
    return vault_access.unblock(accounts=[user.account], vault=user.vault, actor=ACTOR, at=NOON)


def meet(user, monkeypatch):
    """Enable the vault user just when a pass has written it, and before the pass takes the account's due row away."""
    observe, has_written = licenses._observe, threading.Event()

    def late(*arguments):
        has_written.set()
        wait_for_a_lock()
        observe(*arguments)

    monkeypatch.setattr(licenses, "_observe", late)

    def deed(number):
        if number == 0:
            return licenses._pass(user.subscription_id, NOON, 10)
        has_written.wait(timeout=10)
        return enable(user)

    outcomes = together(2, deed)
    monkeypatch.setattr(licenses, "_observe", observe)
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


def test_who_is_enabled_while_a_pass_looks_at_the_account_is_due_and_overridden(user, monkeypatch):
    assert meet(user, monkeypatch) == []

    user.refresh_from_db()
    assert user.overrides_person
    assert due_ids() == {user.account_id}


def test_with_the_due_row_written_first_they_wait_in_a_circle(user, monkeypatch):
    switch = vault_access._switch

    def due_row_first(deed, accounts, *, is_enabled):
        touch_accounts([one.pk for one in accounts])
        switch(deed, accounts, is_enabled=is_enabled)

    monkeypatch.setattr(vault_access, "_switch", due_row_first)

    [error] = meet(user, monkeypatch)

    assert isinstance(error, OperationalError)
    assert "deadlock" in str(error)


def test_of_many_who_give_the_same_access_one_does(user):
    def give(_):
        account = LoginAccount.objects.get(pk=user.account_id)
        return vault_access.give_access(accounts=[account], vault=user.vault, actor=ACTOR, at=NOON)

    assert sorted(together(4, give)) == [0, 0, 0, 1]
    assert VaultAccess.objects.count() == 1
