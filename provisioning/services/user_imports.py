"""Files of users: checked whole, kept until an admin confirms the preview, then applied row by row (1-product §1.7).

A row is one deed of ``services.people``; what that refuses is noted with the row's line, and the others go on. After
each batch the import knows how far it is, so that whoever continues it, a request or a worker, does no row twice.
Deletions come first, in batches of their own: they hold the pools of licenses before accounts, as the workers do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.db import transaction

from provisioning.actor import Actor
from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount, Subscription, UserImport, Vault
from provisioning.queries import user_files
from provisioning.services import audit, people, vault_access
from provisioning.user_licenses import registered
from provisioning.user_rows import (
    ADDED,
    DELETED,
    DISABLED,
    ENABLED,
    ROLES,
    TITLES,
    Asked,
    Fault,
    Row,
    asked,
    read,
)
from provisioning.vault_cells import key

_BATCH: Final = 100
_NAME_LENGTH: Final = 200
Role = LoginAccount.Role


class FileFaulty(Exception):
    """The file has faults, and nothing of it is kept; ``faults`` are all of them, by line."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        lines = len({fault.line for fault in faults})
        super().__init__(
            f"{lines:,} line{'s' * (lines != 1)} of the file must be corrected first. Nothing was imported."
        )


class VaultGone(Exception):
    """A vault that the file names has been removed or renamed since the file was checked."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no vault “{name}” any more. Give access to another one on the user's page.")


_REFUSALS: Final = (*people.REFUSALS, *vault_access.REFUSALS, VaultGone)


class NothingToImport(Exception):
    """The file is as the users are."""

    def __init__(self) -> None:
        super().__init__("The file changes nothing: every row is as the user is now. Edit a row, then choose it again.")


@transaction.atomic
def upload(*, subscription: Subscription, file_name: str, data: bytes, actor: Actor, at: datetime) -> UserImport:
    """Check a file whole and keep what it asks for. Raises ``FileFaulty`` and ``NothingToImport``."""
    rows, faults = read(data)
    wanted, more = _asked(subscription, rows, actor)
    if faults or more:
        raise FileFaulty(sorted([*faults, *more]))
    if not wanted:
        raise NothingToImport
    wanted.sort(key=_order)
    return UserImport.objects.create(
        subscription=subscription,
        file_name=file_name[:_NAME_LENGTH],
        rows=[one.document() for one in wanted],
        uploaded_by=actor.name,
        uploaded_at=at,
    )


@transaction.atomic
def confirm(*, user_import: UserImport, actor: Actor, at: datetime) -> bool:
    """Let the rows be applied from now on; return whether that is new."""
    found = UserImport.objects.select_for_update().get(pk=user_import.pk)
    if found.outcome:
        return False
    found.outcome = {"actor": asdict(actor), "confirmed_at": at.isoformat(), "done": 0, "refused": []}
    found.save(update_fields=["outcome"])
    audit.record(
        subscription_id=found.subscription_id,
        actor=actor,
        action="import users",
        target=found.file_name,
        at=at,
        changes={"rows": [None, len(found.rows)]},
    )
    return True


def apply(*, import_id: int, at: datetime, most: int | None = None) -> None:
    """Apply a confirmed import from where it is, at most ``most`` rows of it; license types come last, all at once.

    While somebody else is at it, that one goes on alone.
    """
    found = UserImport.objects.get(pk=import_id)
    rows = [Asked.from_document(one) for one in found.rows]
    done: int | None = found.outcome["done"]
    until = len(rows) if most is None else min(len(rows), found.outcome["done"] + most)
    while done is not None and done < until:
        done = _batch(import_id, rows, at)
    if done == len(rows):
        _finish(import_id, rows, at)


def due() -> list[int]:
    """Return the imports that were confirmed and are not whole yet."""
    return list(
        UserImport.objects.filter(applied_at=None).exclude(outcome={}).order_by("pk").values_list("pk", flat=True)
    )


def prune(*, before: datetime) -> None:
    """Forget imports that were uploaded so long ago: they name people."""
    UserImport.objects.filter(uploaded_at__lt=before).delete()


def _asked(subscription: Subscription, rows: list[Row], actor: Actor) -> tuple[list[Asked], list[Fault]]:
    known = user_files.known(subscription, [row.cells.username for row in rows])
    admins = user_files.enabled_admins(subscription)
    vaults = user_files.vaults(subscription)
    return asked(rows, known, admins=admins, may_touch=partial(people.may_touch, actor), vaults=vaults)


def _order(one: Asked) -> tuple[bool, bool, int]:
    """Deletions first; who becomes a Subscription admin before who is one no more."""
    is_admin = one.cells.role == ROLES[Role.SUBSCRIPTION_ADMIN] and one.cells.state in {ADDED, ENABLED}
    return one.cells.state != DELETED, not is_admin, one.line


@audit.recorded_last()
def _batch(pk: int, rows: Sequence[Asked], at: datetime) -> int | None:
    """Apply the next rows; return how many are done, or None when somebody else is applying some."""
    free = UserImport.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk)
    found = free.defer("rows").select_related("subscription").first()
    if found is None or found.outcome["done"] == len(rows):
        return None
    actor, begin = Actor(**found.outcome["actor"]), found.outcome["done"]
    batch = [one for one in rows[begin : begin + _BATCH] if _is_deletion(one) == _is_deletion(rows[begin])]
    found.outcome["refused"] += list(_refused(found.subscription, batch, actor, at))
    found.outcome["done"] = begin + len(batch)
    found.save(update_fields=["outcome"])
    done: int = found.outcome["done"]
    return done


def _is_deletion(one: Asked) -> bool:
    return one.cells.state == DELETED


def _refused(
    subscription: Subscription, batch: Sequence[Asked], actor: Actor, at: datetime
) -> Iterator[dict[str, Any]]:
    """Apply each row; return those that are refused, with the reason."""
    for one in batch:
        try:
            with audit.recorded_last():
                _perform(subscription, one, actor, at)
        except _REFUSALS as refusal:
            yield {"line": one.line, "username": one.cells.username, "reason": str(refusal)}


def _perform(subscription: Subscription, one: Asked, actor: Actor, at: datetime) -> None:
    """Do what the row asks for, and nothing that it leaves as it was when it was checked."""
    role = Role(ROLES.index(one.cells.role))
    if one.cells.state == ADDED:
        details = one.cells.details._asdict()
        account = people.create_person(subscription=subscription, role=role, actor=actor, at=at, **details)
        _change_vaults(account, one, actor, at)
        return
    found = LoginAccount.objects.filter(subscription=subscription, pk=one.pk or 0).first()
    if found is None:
        raise people.PersonGone
    if one.cells.state == DELETED:
        people.delete_person(account=found, actor=actor, at=at)
        return
    _change(found, one, role, actor, at)
    _change_vaults(found, one, actor, at)


def _change(account: LoginAccount, one: Asked, role: Role, actor: Actor, at: datetime) -> None:
    fields: dict[str, Any] = {
        name: value if getattr(TITLES, name) in one.changes else getattr(account, name)
        for name, value in one.cells.details._asdict().items()
    }
    fields["role"] = role if TITLES.role in one.changes else Role(account.role)
    people.change_person(account=account, actor=actor, at=at, **fields)
    if TITLES.state in one.changes:
        deed = people.disable_person if one.cells.state == DISABLED else people.enable_person
        deed(account=account, actor=actor, at=at)


def _change_vaults(account: LoginAccount, one: Asked, actor: Actor, at: datetime) -> None:
    """Give and take access to vaults as the row asks. Raises ``VaultGone``."""
    if not any(one.vaults):
        return
    vaults = {key(vault.name): vault for vault in Vault.objects.filter(subscription=account.subscription_id)}
    for names, deed in zip(one.vaults, (vault_access.give_access, vault_access.take_access), strict=True):
        for name in names:
            if key(name) not in vaults:
                raise VaultGone(name)
            deed(accounts=[account], vault=vaults[key(name)], actor=actor, at=at)


@audit.recorded_last()
def _finish(pk: int, rows: Sequence[Asked], at: datetime) -> None:
    """Choose the license types of all rows, and end the import; what is ended already stays so."""
    locked = UserImport.objects.select_for_update(of=("self",)).defer("rows")
    found = locked.select_related("subscription").get(pk=pk)
    if found.applied_at is not None:
        return
    refused = {one["line"] for one in found.outcome["refused"]}
    choosing = [one for one in rows if one.chosen_type is not None and one.line not in refused]
    accounts = _accounts(found.subscription, choosing)
    for license_type in LicenseType:
        chosen = [one.cells.username.casefold() for one in choosing if one.chosen_type is license_type]
        registered().choose(
            subscription=found.subscription,
            account_ids=[accounts[key] for key in chosen if key in accounts],
            license_type=license_type,
            actor=Actor(**found.outcome["actor"]),
            at=at,
        )
    found.applied_at = at
    found.save(update_fields=["applied_at"])


def _accounts(subscription: Subscription, rows: Sequence[Asked]) -> dict[str, int]:
    """Return the accounts of rows by username; who was removed or deleted meanwhile gets no license any more."""
    known = user_files.known(subscription, [one.cells.username for one in rows])
    return {key: one.pk for key, one in known.items() if not one.is_removed}
