"""What a SCIM call brings along for the provisioning log, and the log's rows (3-scim §3.4)."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from provisioning.models import ProvisioningConfiguration, ProvisioningLogEntry


class VersionRefused(Exception):
    """The resource is at another version than the caller insists on (RFC 7644 §3.14)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One SCIM call as the log names it: ``operation`` is create, replace, update, delete, query or bulk.

    ``condition`` tells of a version whether what has it may be changed or removed; None stands for every version.
    """

    configuration: ProvisioningConfiguration
    operation: str
    resource_type: str
    request_id: str
    at: datetime
    started: float = field(default_factory=time.perf_counter)
    condition: Callable[[int], bool] | None = None


def check_version(call: Call, version: int) -> None:
    """Raise ``VersionRefused`` unless the call may touch a row, which the caller has locked, at this version."""
    if call.condition is not None and not call.condition(version):
        raise VersionRefused


def record_success(
    call: Call, *, status: int, resource_id: str, resource_name: str, changes: dict[str, Any], detail: str = ""
) -> None:
    """Write the row of a call that succeeded, in the transaction of what it did; ``detail`` is a warning, if any."""
    _row(call, status, resource_id, resource_name, detail, is_success=True, changes=changes).save(force_insert=True)


def record_failure(call: Call, *, status: int, detail: str, resource_id: str = "", resource_name: str = "") -> None:
    """Write the row of a call that was refused; call it outside the transaction that was rolled back."""
    _row(call, status, resource_id, resource_name, detail, is_success=False, changes={}).save(force_insert=True)


def _row(
    call: Call, status: int, resource_id: str, resource_name: str, detail: str, **more: Any
) -> ProvisioningLogEntry:
    return ProvisioningLogEntry(
        subscription_id=call.configuration.subscription_id,
        configuration_id=call.configuration.pk,
        at=call.at,
        operation=call.operation,
        resource_type=call.resource_type,
        resource_id=resource_id,
        resource_name=resource_name,
        status=status,
        detail=detail,
        duration_us=int((time.perf_counter() - call.started) * 1_000_000),
        request_id=call.request_id,
        **more,
    )


def difference(old: dict[str, Any], new: dict[str, Any]) -> dict[str, list[Any]]:
    """Return ``{attribute: [old, new]}`` of the attributes of two SCIM documents that differ."""
    return {key: [old.get(key), new.get(key)] for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
