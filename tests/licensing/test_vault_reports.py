"""What vaults report of themselves."""

from licensing.clients.agent import Sessions
from licensing.services import overview
from licensing.vaultserver import admin
from tests.factories import NOON, make_account, make_vault
from tests.licensing.people import CONCURRENT, MINUTE, READ_ONLY, purchase


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
