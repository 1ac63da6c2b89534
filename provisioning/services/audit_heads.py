"""The ends of all audit logs, kept outside the database: what is cut off at an end shows against them."""

import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

import structlog
from django.conf import settings

from provisioning.models import AuditHead

_LONGEST_LINE: Final = 64 * 1024
"""Far more than any line of the file has."""
log = structlog.get_logger(__name__)


class HeadsUnreadable(Exception):
    """A file of exported heads cannot be read, or holds something else."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}. Name a file that the daily task or “manage.py auditheads” has written.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedHead:
    """That at a time the audit log of a subscription ended with this entry."""

    at: str
    subscription: str
    subscription_id: int
    number: int
    digest: str


def heads(at: datetime) -> Iterator[ExportedHead]:
    """Return where the audit log of each subscription ends, by subscription."""
    rows = AuditHead.objects.filter(number__gt=0).select_related("subscription").order_by("pk")
    for head in rows.iterator():
        yield ExportedHead(
            at=at.isoformat(),
            subscription=head.subscription.number,
            subscription_id=head.pk,
            number=head.number,
            digest=head.digest,
        )


def lines(exported: Iterable[ExportedHead]) -> Iterator[str]:
    """Return each head as one line of JSON."""
    return (json.dumps(asdict(head)) for head in exported)


def export(at: datetime) -> int:
    """Append the heads to the file of ``MFMANAGE_AUDIT_HEADS``, and write them into the log; return how many they are.

    When this returns, they are on the disk. Raises ``OSError``; by then the log has them.
    """
    found = list(heads(at))
    for head in found:
        log.info("audit head", **asdict(head))
    _append(settings.AUDIT_HEADS, "".join(f"{line}\n" for line in lines(found)))
    return len(found)


def read(path: Path) -> Iterator[ExportedHead]:
    """Return the heads of a file, one after the other. Raises ``HeadsUnreadable``."""
    try:
        with path.open(encoding="utf-8") as stream:
            yield from (_head(line, f"{path}, line {number}") for number, line in enumerate(stream, 1))
    except (OSError, UnicodeDecodeError) as error:
        raise HeadsUnreadable(str(path), f"{error}") from error


def _head(line: str, place: str) -> ExportedHead:
    try:
        head = ExportedHead(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise HeadsUnreadable(place, "this is no exported head") from error
    if not (type(head.subscription_id) is type(head.number) is int):
        raise HeadsUnreadable(place, "this is no exported head")
    return head


def _cut_torn_line(stream: BinaryIO) -> None:
    """Take away what stands behind the last whole line: whoever wrote it was killed before it was exported."""
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - _LONGEST_LINE))
    behind = stream.read().rpartition(b"\n")[2]
    if behind:
        stream.truncate(end - len(behind))


def _append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "r+b") as stream:
        _cut_torn_line(stream)
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
