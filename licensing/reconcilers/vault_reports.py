"""What a vault reports of itself: its name, whether it can be written to, its figures, and its user groups."""

from django.db import transaction

from licensing.clients.agent import AgentRefused, ErrorCode, VaultInfo
from licensing.clients.agent import VaultUserGroup as ServerGroup
from licensing.models import LinkStatus, VaultStatus
from licensing.reconcilers.sessions import VaultSession
from licensing.services import agents
from provisioning.models import Vault, VaultUserGroup
from provisioning.services.vaults import follow_server_name


class VaultRemoved(Exception):
    """The server had the vault, and has it no more; it is never made again by itself."""

    def __init__(self, vault: Vault) -> None:
        super().__init__(
            f"Vault “{vault.name}” is gone from its server. Restore or attach it there; or remove it here, and its "
            "links with it."
        )


def refresh(session: VaultSession, *, with_groups: bool) -> VaultInfo:
    """Ask the vault how it is, and record that. A vault that its server never had is made there.

    Raises ``AgentUnavailable``, ``AgentRefused`` and ``VaultRemoved``.
    """
    info = _vault(session)
    if (session.vault.name, session.vault.server_name) != (info.name, info.name):
        follow_server_name(vault=session.vault, server_name=info.name, at=session.lease.now())
    Vault.objects.filter(pk=session.vault.pk).update(
        is_online=info.online,
        user_synchronization=info.user_synchronization,
        objects_count=info.figures.objects,
        versions_count=info.figures.versions,
        storage_bytes=info.figures.storage_bytes,
        database_bytes=info.figures.database_bytes,
        reported_at=session.lease.now(),
    )
    VaultStatus.objects.filter(vault=session.vault).update(
        concurrent_sessions=info.sessions.concurrent,
        named_sessions=info.sessions.named,
        read_only_sessions=info.sessions.read_only,
    )
    if info.online and with_groups:
        _record_groups(session.vault, session.ask(session.agent.list_groups))
    return info


def _vault(session: VaultSession) -> VaultInfo:
    try:
        return session.ask(session.agent.get_vault)
    except AgentRefused as refusal:
        if refusal.code != ErrorCode.VAULT_NOT_FOUND:
            raise
        if VaultStatus.objects.filter(vault=session.vault, is_created=True).exists():
            Vault.objects.filter(pk=session.vault.pk).update(is_online=False, reported_at=session.lease.now())
            raise VaultRemoved(session.vault) from refusal
        session.tell(session.agent.create_vault, name=session.vault.name)
        agents.made(session.vault)
        return session.ask(session.agent.get_vault)


@transaction.atomic
def _record_groups(vault: Vault, groups: tuple[ServerGroup, ...]) -> None:
    """Record the vault's user groups by name; one that is gone stays only as the target of a link, to be made again."""
    known = list(VaultUserGroup.objects.select_for_update().filter(vault=vault).order_by("pk"))
    matched, stale = _matched(vault, known, groups)
    kept = {record.pk for record in matched}
    gone = [record.pk for record in known if record.pk not in kept and record.remote_id is not None]
    VaultUserGroup.objects.filter(pk__in=[*gone, *(record.pk for record in stale)]).update(remote_id=None)
    LinkStatus.objects.filter(link__target_id__in=gone).update(prepared_generation=0)
    VaultUserGroup.objects.filter(pk__in=gone, link__isnull=True).delete()
    VaultUserGroup.objects.bulk_update([record for record in stale if record.pk], _GROUP_FIELDS)
    VaultUserGroup.objects.bulk_create([record for record in stale if not record.pk])


_GROUP_FIELDS = ["name", "name_key", "remote_id", "is_built_in", "is_visible"]


def _matched(
    vault: Vault, known: list[VaultUserGroup], groups: tuple[ServerGroup, ...]
) -> tuple[list[VaultUserGroup], list[VaultUserGroup]]:
    """Return the record of each group, and those of them that are to be written."""
    names = {group.name.casefold() for group in groups}
    by_name = {record.name_key: record for record in known}
    renamed = {record.remote_id: record for record in known if record.name_key not in names}
    matched, stale = [], []
    for group in groups:
        record = by_name.get(group.name.casefold()) or renamed.get(group.id) or VaultUserGroup(vault=vault)
        before = [getattr(record, name) for name in _GROUP_FIELDS]
        after = [group.name, group.name.casefold(), group.id, group.built_in, group.visible]
        matched.append(record)
        if before != after or not record.pk:
            for name, value in zip(_GROUP_FIELDS, after, strict=True):
                setattr(record, name, value)
            stale.append(record)
    return matched, stale
