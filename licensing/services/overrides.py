"""Vault users that are enabled although a person disabled them in the vault (1-product §1.5, rule 4)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from licensing.models import VaultUser


def switch(*, vault_id: int, account_ids: Sequence[int], is_enabled: bool, at: datetime) -> None:
    """Have those of these vault users enabled that are disabled, this once; or have that forgotten.

    Who is not wanted in the vault is enabled once that is so.
    """
    users = VaultUser.objects.filter(vault_id=vault_id, account_id__in=account_ids)
    if is_enabled:
        _look_again(users.filter(seen_enabled=False), at, overrides_person=True)
    else:
        users.filter(overrides_person=True).update(overrides_person=False)


def look_again(subscription_id: int, at: datetime) -> None:
    """Make the vault users due whom a person disabled and who are wanted: the policy has changed."""
    users = VaultUser.objects.filter(vault__subscription_id=subscription_id, wanted_enabled=True)
    _look_again(users.filter(disabled_by=VaultUser.DisabledBy.PERSON), at)


def _look_again(users: QuerySet[VaultUser], at: datetime, **values: Any) -> None:
    """Lock them in the order of their accounts, as everybody who changes several vault users, and make them due."""
    locked = users.select_for_update(of=("self",)).order_by("account_id")
    ids = list(locked.values_list("pk", flat=True))
    VaultUser.objects.filter(pk__in=ids).update(generation=F("generation") + 1, due_at=at, **values)
