"""What becomes of licensing's records of a vault that is removed from the portal: deleted in bulk, never one by one."""

from typing import Any, Final

from licensing.models import (
    DriftFinding,
    DriftReport,
    LinkStatus,
    VaultGroupChange,
    VaultStatus,
    VaultUser,
    VaultUserMembership,
)
from licensing.services import pools
from provisioning.models import Vault

_KEPT: Final = (
    (DriftFinding, "report__vault"),
    (DriftReport, "vault"),
    (VaultGroupChange, "vault"),
    (LinkStatus, "link__target__vault"),
    (VaultUserMembership, "vault_user__vault"),
    (VaultUser, "vault"),
    (VaultStatus, "vault"),
)
"""What is kept of a vault, what refers to others first."""


def vault_leaving(*, subscription_id: int, vault_id: int, **_: Any) -> None:
    """Receive the signal of that name.

    The locks keep the license pass, who decides about access, and the vault's worker out, in the order in which these
    hold them; that worker then finds its lease gone.
    """
    pools.lock(subscription_id)
    list(Vault.objects.select_for_update().filter(pk=vault_id).values_list("pk"))
    list(VaultStatus.objects.select_for_update().filter(vault=vault_id).values_list("pk"))
    for model, path in _KEPT:
        rows = model._base_manager.filter(**{path: vault_id})  # noqa: SLF001
        rows._raw_delete(rows.db)  # noqa: SLF001
