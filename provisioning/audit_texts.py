"""An entry of the audit log in words, as a row of a CSV file, and as a JSON document."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from provisioning.models import AuditEntry

TITLES: Final = ("Number", "Time", "Who", "Role", "From", "What", "Acted on", "Changes", "Request ID", "Digest")


class Change(NamedTuple):
    """One field with its old and its new value as texts; an empty text is no value."""

    field: str
    old: str
    new: str


def changes(changed: Mapping[str, Any]) -> Iterator[Change]:
    """Return what changed, from ``{field: [old, new]}``, by field; a bulk pin has one for each account."""
    for field, value in sorted(changed.items()):
        old, new = value if isinstance(value, list) and len(value) == 2 else (None, value)  # noqa: PLR2004
        yield Change(field if "@" in field else field.replace("_", " "), _text(old), _text(new))


def role(entry: AuditEntry) -> str:
    """Return the role in which somebody acted, or what acted."""
    return entry.actor_role or entry.actor_kind.capitalize()


def cells(entry: AuditEntry) -> list[Any]:
    """Return the cells under ``TITLES``; the time is UTC (RFC 3339)."""
    return [
        entry.number,
        entry.at.isoformat(),
        entry.actor_name,
        role(entry),
        entry.address,
        entry.action,
        entry.target,
        "; ".join(f"{one.field}: {one.old or '–'} → {one.new or '–'}" for one in changes(entry.changes)),
        entry.request_id,
        entry.digest,
    ]


def document(entry: AuditEntry) -> dict[str, Any]:
    """Return the entry as the file has it: all that its digest covers, but for the subscription, and the digest."""
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "actor_kind": entry.actor_kind,
        "actor": entry.actor_name,
        "role": entry.actor_role,
        "address": entry.address,
        "request_id": entry.request_id,
        "action": entry.action,
        "target": entry.target,
        "changes": entry.changes,
        "key_version": entry.key_version,
        "digest": entry.digest,
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
