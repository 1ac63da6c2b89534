"""What a SCIM call brings along for the provisioning log, and the log's rows (3-scim §3.4)."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from provisioning.call_texts import shown
from provisioning.models import ProvisioningConfiguration
from provisioning.services.access import AccessEnded, gate
from provisioning.sql import Row, Statement, parameter, run_alone, run_with


class VersionRefused(Exception):
    """The resource is at another version than the caller insists on (RFC 7644 §3.14)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One SCIM call as the log names it: ``operation`` is create, replace, update, delete, query or bulk.

    ``condition`` tells of a version whether what has it may be changed or removed; None stands for every version.
    ``answers`` is the status of success where the deed itself cannot know it: with the resource or without.
    """

    configuration: ProvisioningConfiguration
    operation: str
    resource_type: str
    request_id: str
    at: datetime
    started: float = field(default_factory=time.perf_counter)
    condition: Callable[[int], bool] | None = None
    answers: int | None = None


def check_version(call: Call, version: int) -> None:
    """Raise ``VersionRefused`` unless the call may touch a row, which the caller has locked, at this version."""
    if call.condition is not None and not call.condition(version):
        raise VersionRefused


def record_success(
    call: Call, *, status: int, resource_id: str, resource_name: str, changes: dict[str, Any], detail: str = ""
) -> None:
    """Write the row of a call that succeeded, in the transaction of what it did; ``detail`` is a warning, if any.

    Raises ``AccessEnded``.
    """
    done = entry(
        call, status=status, resource_id=resource_id, resource_name=resource_name, changes=changes, detail=detail
    )
    carry_out_alone(done)


def carry_out(deed: Statement, *others: Statement) -> list[Row]:
    """Do as ``run_with`` does, with a row of success among the others. Raises ``AccessEnded``."""
    try:
        return run_with(deed, *others)
    except IntegrityError as error:
        raise (AccessEnded() if _was_shut_out(error) else error) from error


def carry_out_alone(*others: Statement) -> None:
    """Do as ``run_alone`` does, with a row of success among the others. Raises ``AccessEnded``."""
    try:
        run_alone(*others)
    except IntegrityError as error:
        raise (AccessEnded() if _was_shut_out(error) else error) from error


def record_failure(call: Call, *, status: int, detail: str, resource_id: str = "", resource_name: str = "") -> None:
    """Write the row of a call that was refused; call it outside the transaction that was rolled back."""
    refused = entry(
        call,
        status=status,
        resource_id=resource_id,
        resource_name=resource_name,
        changes={},
        detail=detail,
        is_success=False,
    )
    run_alone(refused)


def entry(
    call: Call,
    *,
    status: int,
    resource_id: str,
    resource_name: str,
    changes: dict[str, Any],
    detail: str = "",
    is_success: bool = True,
) -> Statement:
    """Return what writes the row of a call, for ``carry_out`` to carry out together with its deed.

    A row of success has no configuration if access has ended, which the database refuses, together with the deed.
    """
    values = (
        call.configuration.subscription_id,
        *((call.configuration.pk, call.configuration.access_epoch) if is_success else (call.configuration.pk,)),
        call.at,
        call.operation,
        call.resource_type,
        resource_id,
        resource_name,
        call.answers or status if is_success else status,
        is_success,
        detail,
        changes,
        int((time.perf_counter() - call.started) * 1_000_000),
        call.request_id,
    )
    configuration = f"({gate()})" if is_success else "%s"
    return Statement(_INSERT.replace("{configuration}", configuration), [parameter(value) for value in values])


def difference(old: dict[str, Any], new: dict[str, Any]) -> dict[str, list[Any]]:
    """Return ``{attribute: [old, new]}`` of what differs between two SCIM documents, as the log may keep it."""
    return shown({key: [old.get(key), new.get(key)] for key in old.keys() | new.keys() if old.get(key) != new.get(key)})


def _was_shut_out(error: IntegrityError) -> bool:
    """Return whether the row in the log found no configuration. Both databases name table and column of a null."""
    reason = str(error).partition("\n")[0].casefold()
    return all(word in reason for word in ("null", "provisioning_provisioninglogentry", "configuration_id"))


_INSERT = """
INSERT INTO provisioning_provisioninglogentry (
subscription_id, configuration_id, at, operation, resource_type, resource_id, resource_name, status, is_success, detail,
changes, duration_us, request_id) SELECT %s, {configuration}, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s {deed}"""
