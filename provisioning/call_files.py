"""A row of the provisioning log as a row of a CSV file and as a JSON document."""

from typing import Any, Final

from provisioning import call_texts
from provisioning.models import ProvisioningLogEntry

TITLES: Final = (
    "Time",
    "Configuration",
    "Operation",
    "Type",
    "Name",
    "ID",
    "Result",
    "Status",
    "Detail",
    "Changes",
    "Duration (ms)",
    "Request ID",
)


def cells(entry: ProvisioningLogEntry) -> list[Any]:
    """Return the cells under ``TITLES``; the time is UTC (RFC 3339)."""
    return [
        entry.at.isoformat(),
        entry.configuration.name,
        entry.operation,
        entry.resource_type,
        entry.resource_name,
        entry.resource_id,
        "succeeded" if entry.is_success else "failed",
        entry.status,
        entry.detail,
        "; ".join(f"{one.label}: {one.old or '–'} → {one.new or '–'}" for one in call_texts.changes(entry.changes)),
        entry.duration_us / 1000,
        entry.request_id,
    ]


def document(entry: ProvisioningLogEntry) -> dict[str, Any]:
    """Return the row as ``export log --json`` prints it; ``changes`` is ``{attribute: [old, new]}`` by SCIM's names."""
    return {
        "at": entry.at.isoformat(),
        "configuration": entry.configuration.name,
        "operation": entry.operation,
        "resource_type": entry.resource_type,
        "resource_name": entry.resource_name,
        "resource_id": entry.resource_id,
        "succeeded": entry.is_success,
        "status": entry.status,
        "detail": entry.detail,
        "changes": call_texts.shown(entry.changes),
        "duration_ms": entry.duration_us / 1000,
        "request_id": entry.request_id,
    }
