"""What an admin decides about accounts in a world's vault, and what is recorded of them there."""

from licensing.models import VaultUser
from provisioning.services import vault_access
from tests.factories import ACTOR, NOON


def give(world, *accounts):
    vault_access.give_access(accounts=accounts, vault=world.vault, actor=ACTOR, at=NOON)


def take(world, *accounts):
    vault_access.take_access(accounts=accounts, vault=world.vault, actor=ACTOR, at=NOON)


def block(world, *accounts):
    vault_access.block(accounts=accounts, vault=world.vault, actor=ACTOR, at=NOON)


def unblock(world, *accounts):
    vault_access.unblock(accounts=accounts, vault=world.vault, actor=ACTOR, at=NOON)


def rule(world, account, full_control):
    vault_access.set_full_control(
        accounts=[account], vault=world.vault, full_control=full_control, actor=ACTOR, at=NOON
    )


def record(account):
    return VaultUser.objects.get(account=account)
