"""The emulated server's data file: what an earlier version wrote is read on."""

import sqlite3

import pytest

from licensing.vaultserver import admin
from licensing.vaultserver.core import VaultServer

GUID = "c840be1a-5b47-4ac0-8ef7-835c166c8e24"


def forget_visibility(path):
    """Make the file what it was before groups could be hidden."""
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE user_group DROP COLUMN visible")
    db.close()


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "vaults.sqlite3")
    server = VaultServer(path)
    admin.create_vault(server, name="Contracts", vault=GUID)
    server.ensure_group(GUID, "Legal", idempotency_key="one")
    server.close()
    return path


def test_groups_of_an_earlier_file_are_visible_and_can_be_hidden(path):
    forget_visibility(path)
    server = VaultServer(path)

    assert [group.visible for group in server.list_groups(GUID)] == [True, True, True]
    assert not server.change_group(GUID, 101, visible=False, idempotency_key="two").visible
    server.close()


def test_a_backup_of_an_earlier_version_is_restored_in_todays_form(path):
    server = VaultServer(path)
    admin.back_up(server, "monday")
    forget_visibility(f"{path}.monday.backup")
    server.change_group(GUID, 101, visible=False, idempotency_key="two")

    admin.restore(server, "monday")

    assert [group.visible for group in server.list_groups(GUID)] == [True, True, True]
    server.close()
