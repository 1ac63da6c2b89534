"""How values are compared: letter case and time zones taken out (RFC 7643 §2.3, RFC 7644 §3.4.2.2).

A folded document (``scim.filter.match.fold_document``) and a folded literal compare code point by code point.
"""

import re
from datetime import UTC, datetime
from typing import Any

from scim.schema.table import Attribute, Type

INTEGER_RANGE = range(-(2**63), 2**63)
_DATE_TIME = re.compile(
    r"-?\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,12})?(?:Z|[+-]\d{2}:\d{2})?", re.ASCII | re.IGNORECASE
)


def fold(text: str) -> str:
    """Take letter case out of ``text``; folding twice changes nothing more."""
    return text.casefold()


def parse_time(text: str) -> datetime | None:
    """Read an xsd:dateTime (RFC 7643 §2.3.5), as UTC where it names no zone; None when it is not one."""
    if not _DATE_TIME.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def render_time(moment: datetime) -> str:
    """Write a moment so that the order of texts is the order of moments: UTC, six decimals, ``Z``."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def storable(text: str) -> bool:
    """Whether every database can keep ``text``: no NUL, no half of a surrogate pair."""
    return "\0" not in text and (text.isascii() or _is_whole(text))


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def folded(attribute: Attribute, value: Any) -> Any:
    """Return ``value`` of ``attribute`` in the form that is compared."""
    if not isinstance(value, str):
        return value
    if attribute.folds:
        return fold(value)
    if attribute.type is Type.DATE_TIME and (moment := parse_time(value)):
        return render_time(moment)
    return value
