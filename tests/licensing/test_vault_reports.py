"""What vaults report of themselves."""

from datetime import timedelta

from licensing.clients.agent import Sessions
from licensing.models import Ending, VaultStatus
from licensing.services import link_states, overview
from licensing.vaultserver import admin
from provisioning.models import AuditEntry, Vault, VaultUserGroup
from provisioning.queries import attention, configurations
from tests.factories import NOON, make_account, make_group, make_link, make_vault
from tests.licensing.people import CONCURRENT, MINUTE, READ_ONLY, change_members, purchase


def in_use(world):
    return {pool.license_type: pool.in_use for pool in overview.pools(world.subscription)}


def test_concurrent_licenses_are_in_use_by_the_sessions_of_all_vaults(world):
    purchase(world.subscription, concurrent=5)
    make_account(world.configuration)
    other = make_vault(world.subscription, "Archive", agent_url=world.vault.agent_url)
    world.sweep()
    assert (in_use(world)[CONCURRENT], in_use(world)[READ_ONLY]) == (0, 1)

    admin.change_vault(world.server, world.guid, sessions=Sessions(named=9, concurrent=3, read_only=9))
    admin.change_vault(world.server, str(other.guid), sessions=Sessions(concurrent=2))
    world.sweep(NOON + 4 * MINUTE)
    assert in_use(world)[CONCURRENT] == 0
    world.sweep(NOON + 6 * MINUTE)

    assert (in_use(world)[CONCURRENT], in_use(world)[READ_ONLY]) == (5, 1)
    assert world.status.concurrent_sessions == 3


def test_a_vault_that_was_renamed_on_its_server_is_renamed_here(world):
    world.sweep()
    admin.change_vault(world.server, world.guid, name="Agreements")

    world.sweep(NOON + 6 * MINUTE)

    world.vault.refresh_from_db()
    assert (world.vault.name, world.vault.server_name) == ("Agreements", "Agreements")
    entry = AuditEntry.objects.get(action="rename vault")
    assert (entry.actor_kind, entry.changes) == ("system", {"name": ["Contracts", "Agreements"]})


def test_a_name_that_another_vault_has_is_only_remembered_until_it_is_free(world):
    other = make_vault(world.subscription, "AGREEMENTS", agent_url=world.vault.agent_url)
    world.sweep()
    admin.change_vault(world.server, world.guid, name="Agreements")

    world.sweep(NOON + 6 * MINUTE)

    world.vault.refresh_from_db()
    assert (world.vault.name, world.vault.server_name) == ("Contracts", "Agreements")
    admin.change_vault(world.server, str(other.guid), name="Archive")
    world.sweep(NOON + 12 * MINUTE)
    world.sweep(NOON + 18 * MINUTE)
    world.vault.refresh_from_db()
    assert world.vault.name == "Agreements"


def test_a_vault_that_is_gone_from_its_server_is_told_and_never_made_again(world):
    other = make_vault(world.subscription, "Archive", agent_url=world.vault.agent_url)
    group = make_group(world.configuration, members=[make_account(world.configuration)])
    link = make_link(group, world.vault, "Lawyers")
    make_link(group, other, "Lawyers")
    world.sweep()
    admin.delete_vault(world.server, world.guid)

    world.sweep(NOON + 6 * MINUTE)
    world.sweep(NOON + 12 * MINUTE)

    assert [info.name for info in world.server.list_vaults()] == ["Archive"]
    sentence = (
        "Vault “Contracts” is gone from its server. Restore or attach it there; or remove it here, and its links with "
        "it."
    )
    assert (world.status.state, world.status.reason) == (Ending.STALLED, sentence)
    assert link_states.views([link.pk])[link.pk].reason == sentence
    assert not Vault.objects.get(pk=world.vault.pk).is_online
    assert VaultStatus.objects.get(vault=other).state == Ending.READY


def test_a_vault_that_comes_back_is_kept_in_step_again(world):
    group = make_group(world.configuration, members=[make_account(world.configuration)])
    make_link(group, world.vault, "Lawyers")
    world.sweep()
    admin.delete_vault(world.server, world.guid)
    world.sweep(NOON + 6 * MINUTE)
    admin.create_vault(world.server, vault=world.guid, name="Contracts")

    world.sweep(NOON + 8 * MINUTE)
    world.sweep(NOON + timedelta(hours=8))

    assert world.status.state == Ending.READY
    assert len(world.members("Lawyers")) == 1


def test_sessions_of_every_kind_and_the_visibility_of_groups_are_recorded(world):
    world.sweep()
    group = admin.add_group(world.server, world.guid, "Guests")
    admin.change_vault(world.server, world.guid, sessions=Sessions(named=9, concurrent=3, read_only=7))
    admin.change_group(world.server, world.guid, group.id, visible=False)

    world.sweep(NOON + 6 * MINUTE)

    status = world.status
    assert (status.named_sessions, status.concurrent_sessions, status.read_only_sessions) == (9, 3, 7)
    assert VaultUserGroup.objects.get(vault=world.vault, name="Guests").is_visible is False


def test_user_synchronization_stops_all_writing_within_a_look_and_it_resumes_within_a_minute(world):
    group = make_group(world.configuration, members=[make_account(world.configuration)])
    link = make_link(group, world.vault, "Lawyers")
    world.sweep()
    admin.change_vault(world.server, world.guid, user_synchronization=True)
    revision = world.server.get_vault(world.guid).revision
    change_members(group, add=[make_account(world.configuration, "bob@contoso.example")])

    for minutes in (1, 2, 3):
        world.sweep(NOON + minutes * MINUTE)

    assert world.server.get_vault(world.guid).revision == revision
    sentence = "User synchronization is on in vault “Contracts”. Turn it off in M-Files Admin."
    assert link_states.views([link.pk])[link.pk].reason == sentence
    assert configurations.synchronizing_vaults(world.subscription) == ["Contracts"]
    told = [notice.text for notice in attention.problems(world.subscription, rows(world), now=NOON)]
    assert any("Contracts" in text and "synchronization" in text for text in told), told

    admin.change_vault(world.server, world.guid, user_synchronization=False)
    world.sweep(NOON + 5 * MINUTE)

    assert len(world.users()) == 2
    assert attention.problems(world.subscription, rows(world), now=NOON) == []


def rows(world):
    return list(configurations.configurations(world.subscription, now=NOON))
