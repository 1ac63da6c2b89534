"""What the product has recorded of a world's vault must be what the vault says, and every link must say so."""

from licensing.models import Ending, VaultUser, VaultUserMembership
from licensing.reconcilers import vaults
from licensing.services import link_states
from provisioning.models import GroupLink


def check_records(world, vault):
    """Assert that nothing is due, and that records and link states are as the vault is (``vault_oracle.Vault``)."""
    for row in VaultUser.objects.filter(vault=world.vault):
        check_user(row, vault.users.get(str(row.account_uid)))
    members = VaultUserMembership.objects.filter(vault_user__vault=world.vault, target__link__paused_at__isnull=True)
    for member in members.select_related("vault_user", "target"):
        is_there = str(member.vault_user.account_uid) in vault.members.get(member.target.remote_id, ())
        assert member.seen == is_there, member
    for link in GroupLink.objects.filter(target__vault=world.vault).select_related("group"):
        assert link_states.views([link.pk])[link.pk].state == state_of(link), link_states.views([link.pk])
    drift = vaults.inspect(world.vault.pk, now=world.now)
    assert drift.repaired == 0, drift


def check_user(row, user):
    """A vault user that a person deleted is not there, as one that never was."""
    assert (row.due_at, row.state) == (None, Ending.READY), (row, row.reason)
    if user is None or user.deleted:
        assert (row.remote_id, row.seen_enabled, row.seen_roles) == (None, None, None), row
        return
    assert (row.remote_id, row.seen_enabled, row.seen_roles) == (user.id, user.enabled, user.roles), (row, user)
    if not user.enabled:
        assert (row.disabled_by == VaultUser.DisabledBy.PERSON) == user.disabled_by_person, (row, user)


def state_of(link):
    if link.paused_at is not None:
        return "paused"
    return "source deleted" if link.group.deleted_at is not None else "in sync"
