"""Work that breaks off at any call to the vault, before or after its effect, ends in the same world when done again."""

from datetime import timedelta

import pytest
from django.db import transaction

from licensing.clients.agent import AgentUnavailable
from licensing.clients.inprocess import InProcessVaultAgent
from licensing.models import VaultStatus, VaultUser, VaultUserMembership
from licensing.services import agents
from licensing.sweep import sweep_once
from tests.licensing.vault_oracle import photograph
from tests.licensing.vault_worlds import World

NEVER = 0
SCENARIOS = {"a member leaves": [("member", 1, 0)]}


class Breaking(InProcessVaultAgent):
    """Fails once, at call number ``at``: before its effect, or after it."""

    def __init__(self, server, at, when):
        super().__init__(server)
        self.at, self.when, self.calls = at, when, 0

    def _call(self, vault, act):
        self.calls += 1
        if self.calls != self.at:
            return super()._call(vault, act)
        if self.when == "after":
            super()._call(vault, act)
        # Asked to wait, the session does not repeat the call by itself.
        raise AgentUnavailable("The answer is lost.", retry_after=1)


def carried_out(monkeypatch, scenario, *, at=NEVER, when="before"):
    """Return how many calls the scenario takes, and the world when it is over."""
    with transaction.atomic():
        world = World(monkeypatch, ("replace", "merge"))
        for event in SCENARIOS[scenario]:
            world.happen(*event)
        agent = Breaking(world.server, at, when)
        monkeypatch.setattr(agents, "agent_for", lambda _vault: agent)
        calls = run_to_the_end(world, agent)
        picture = pictured(world)
        world.close()
        transaction.set_rollback(True)
    return calls, picture


def run_to_the_end(world, agent):
    """Compare in full and work; an hour later do what broke off, until nothing is due."""
    world.now += timedelta(hours=7)
    for _ in range(3):
        sweep_once(world.now)
    calls = agent.calls
    for _ in range(2):
        world.now += timedelta(hours=2)
        sweep_once(world.now)
        sweep_once(world.now)
    assert VaultStatus.objects.get(vault=world.vault).reason == ""
    return calls


def pictured(world):
    """Everything in vault and records, by usernames, because uids are new in every world."""
    seen = photograph(world.server, world.guid)
    names = {one.key: one.username for one in seen.users.values()}
    users = VaultUser.objects.order_by("account__username").values_list(
        *("account__username", "wanted_enabled", "seen_enabled", "disabled_by", "state", "reason", "due_at")
    )
    members = VaultUserMembership.objects.order_by("target__name", "vault_user__account__username").values_list(
        *("target__name", "vault_user__account__username", "wanted", "seen", "added_by_us")
    )
    return (
        sorted((one.username, one.enabled, one.roles, one.deleted) for one in seen.users.values()),
        sorted((seen.names[pk], sorted(names[key] for key in keys)) for pk, keys in seen.members.items()),
        list(users),
        list(members),
    )


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_it_may_break_off_at_every_call(db, monkeypatch, scenario, when):
    calls, undisturbed = carried_out(monkeypatch, scenario)
    assert calls > 3

    for at in range(1, calls + 1):
        assert carried_out(monkeypatch, scenario, at=at, when=when)[1] == undisturbed, at
