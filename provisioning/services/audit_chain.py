"""The audit log as a chain: each entry's digest covers the entry and the digest before it, under a key of the pepper.

Whoever can write to the database, but does not know the pepper, can neither make an entry nor alter, move or take one
away without breaking the chain; what is cut off at its end shows against the exported heads (docs/audit.md).
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC
from functools import cache
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import connection, transaction

from provisioning.models import AuditEntry, AuditHead

_KEY_LABEL: Final = b"mfmanage: key of the audit log"
_VERSION_LABEL: Final = b"mfmanage: version of a key of the audit log"
_FORMAT: Final = "mfmanage audit entry 1"
_BATCH: Final = 1_000
log = structlog.get_logger(__name__)


class KeyUnknown(Exception):
    """The entry's digest was made under a key that this installation does not have."""


def append(subscription_id: int, entries: Sequence[AuditEntry]) -> None:
    """Give the entries their numbers and digests, and write them at the end of the subscription's chain.

    Holds the chain's head until the transaction ends, so that two entries never follow the same one. The head must be
    the last lock that a transaction takes: whoever holds it waits for nobody else.
    """
    with transaction.atomic(savepoint=False):
        head = _locked_head(subscription_id)
        for entry in entries:
            head.number += 1
            entry.number, entry.key_version = head.number, current_version()
            head.digest = entry.digest = digest(entry, head.digest)
        AuditEntry.objects.bulk_create(entries, batch_size=_BATCH)
        AuditHead.objects.filter(pk=subscription_id).update(number=head.number, digest=head.digest)


def digest(entry: AuditEntry, previous: str) -> str:
    """Return the HMAC-SHA-256 (RFC 2104) of the entry and of the digest before it, in hexadecimal.

    Raises ``KeyUnknown``.
    """
    key = _keys(settings.PEPPER, *settings.PREVIOUS_PEPPERS).get(entry.key_version)
    if key is None:
        raise KeyUnknown
    return hmac.new(key, canonical(entry, previous), hashlib.sha256).hexdigest()


def canonical(entry: AuditEntry, previous: str) -> bytes:
    """Return all that the digest covers as one JSON text: the same bytes before it was stored and after it was read."""
    values = [
        _FORMAT,
        previous,
        entry.subscription_id,
        entry.number,
        entry.key_version,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor_kind,
        entry.actor_name,
        entry.actor_role,
        entry.address,
        entry.request_id,
        entry.action,
        entry.target,
        _as_stored(entry.changes),
    ]
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def current_version() -> str:
    """Return the name of the key that new digests are made under; it tells nothing of the key itself."""
    return _version(_key(settings.PEPPER))


def _locked_head(subscription_id: int) -> AuditHead:
    _check_foreign_keys()
    heads = AuditHead.objects.select_for_update().filter(pk=subscription_id)
    head = heads.first()
    if head is None:
        AuditHead.objects.bulk_create([_new_head(subscription_id)], ignore_conflicts=True)
        head = heads.get()
    return head


def _check_foreign_keys() -> None:
    """Have PostgreSQL check now what it would check at the commit: that locks other rows, and the head is the last."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _new_head(subscription_id: int) -> AuditHead:
    """Return the head of a chain that has none: a new one's, as a rule."""
    last = AuditEntry.objects.filter(subscription_id=subscription_id).order_by("number").last()
    if last is None:
        return AuditHead(subscription_id=subscription_id)
    log.error("the head of an audit log is missing", subscription=subscription_id, last=last.number)
    return AuditHead(subscription_id=subscription_id, number=last.number, digest=last.digest)


def _as_stored(value: Any) -> Any:
    """Return a JSON value as PostgreSQL gives it back, which writes 1e22 as a whole number."""
    match value:
        case dict():
            return {name: _as_stored(one) for name, one in value.items()}
        case list():
            return [_as_stored(one) for one in value]
        case float() if value.is_integer():
            return int(value)
    return value


def _key(pepper: str) -> bytes:
    return hmac.new(pepper.encode(), _KEY_LABEL, hashlib.sha256).digest()


def _version(key: bytes) -> str:
    return hmac.new(key, _VERSION_LABEL, hashlib.sha256).hexdigest()[:16]


@cache
def _keys(*peppers: str) -> dict[str, bytes]:
    return {_version(key): key for key in map(_key, peppers)}
