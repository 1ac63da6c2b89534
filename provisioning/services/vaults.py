"""Vaults of a subscription: registered, named as their servers name them, and forgotten."""

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import IntegrityError, transaction

from provisioning import hosts
from provisioning.actor import SYSTEM, Actor
from provisioning.models import GroupLink, Subscription, Vault, VaultAccess
from provisioning.services import audit
from provisioning.services.notices import announce
from provisioning.signals import vault_leaving

_is_address: Final = URLValidator(schemes=["http", "https"])


class BadAgentAddress(Exception):
    """Nothing can be called there, or not safely; the message says how to write it."""


class VaultNameTaken(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(f"The subscription has a vault named “{name}” already. Choose another name.")


class VaultRegistered(Exception):
    """A vault of that GUID is registered already, in this subscription or in another one."""

    def __init__(self) -> None:
        super().__init__("That vault is registered already. Choose another one.")


class VaultGone(Exception):
    """Somebody has removed the vault meanwhile."""

    def __init__(self) -> None:
        super().__init__("The vault is not here any more. Go back to the list of vaults.")


def check_agent_address(url: str) -> None:
    """Raises ``BadAgentAddress`` unless the installation's token may be sent there (docs/vault-agent.md, Transport)."""
    try:
        _is_address(url)
    except ValidationError as error:
        raise BadAgentAddress(f"“{url}” is not an http or https address. Write it like https://host:8443.") from error
    if "@" in urlsplit(url).netloc:
        raise BadAgentAddress("Leave user and password out of the address: the agent gets the installation's token.")
    if not hosts.is_safe(url):
        raise BadAgentAddress(
            "The agent gets the installation's token, which anybody on the way could read. Write the address with "
            "https://; only an agent on this machine may have http://."
        )


@transaction.atomic
def create_vault(
    *,
    subscription: Subscription,
    name: str,
    agent_url: str,
    user_synchronization: bool,
    actor: Actor,
    at: datetime,
    guid: UUID | None = None,
) -> Vault:
    """Register a vault: the one of its server that has ``guid``, or a new one, which workers make there.

    Raises ``VaultNameTaken`` and ``VaultRegistered``.
    """
    try:
        with transaction.atomic():
            vault = Vault.objects.create(
                subscription=subscription,
                name=name,
                guid=guid or uuid4(),
                agent_url=agent_url,
                user_synchronization=user_synchronization,
                created_at=at,
            )
    except IntegrityError as error:
        if guid and Vault.objects.filter(guid=guid).exists():
            raise VaultRegistered from error
        raise VaultNameTaken(name) from error
    audit.record(subscription_id=subscription.pk, actor=actor, action="create vault", target=name, at=at)
    announce(subscription.pk)
    return vault


@transaction.atomic
def remove_vault(*, vault: Vault, actor: Actor, at: datetime) -> None:
    """Forget the vault, its links and who has access to it; in the vault itself nothing is changed.

    Raises ``VaultGone``.
    """
    # Before the vault's row is locked: whoever keeps something of the vault is waited for first.
    vault_leaving.send(sender=None, subscription_id=vault.subscription_id, vault_id=vault.pk, at=at)
    found = Vault.objects.select_for_update().filter(pk=vault.pk).first()
    if found is None:
        raise VaultGone
    links = GroupLink.objects.filter(target__vault=found)
    changes = {"links": [[str(link) for link in links.select_related("group", "target")], None]}
    VaultAccess.objects.filter(vault=found).delete()
    found.delete()
    audit.record(
        subscription_id=found.subscription_id,
        actor=actor,
        action="remove vault",
        target=found.name,
        at=at,
        changes=changes if changes["links"][0] else {},
    )
    announce(vault.subscription_id)


@transaction.atomic
def follow_server_name(*, vault: Vault, server_name: str, at: datetime) -> None:
    """Name the vault as its server does, unless another vault of the subscription has that name."""
    found = Vault.objects.select_for_update().filter(pk=vault.pk).first()
    if found is None:
        return
    others = Vault.objects.filter(subscription_id=found.subscription_id, name__iexact=server_name)
    old, found.server_name = found.name, server_name
    if not others.exclude(pk=found.pk).exists():
        found.name = server_name
    found.save(update_fields=["server_name", "name"])
    vault.name, vault.server_name = found.name, found.server_name
    if found.name != old:
        changes = {"name": [old, found.name]}
        audit.record(
            subscription_id=found.subscription_id,
            actor=SYSTEM,
            action="rename vault",
            target=found.name,
            at=at,
            changes=changes,
        )
        announce(found.subscription_id)
