"""How values are compared: letter case and time zones taken out (RFC 7643 §2.3, RFC 7644 §3.4.2.2).

Letter case is taken out by ``str.casefold``, which changes nothing more when done twice. A folded document
(``scim.filter.match.fold_document``) and a folded literal compare code point by code point.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from scim.schema.table import Attribute, Type

INTEGER_RANGE = range(-(2**63), 2**63)
_DATE_TIME = re.compile(
    r"-?\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,12})?(?:Z|[+-]\d{2}:\d{2})?", re.ASCII | re.IGNORECASE
)


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


@cache
def folder(attribute: Attribute) -> Callable[[Any], Any]:
    """Return the function that gives a value of ``attribute`` the form that is compared."""
    if attribute.folds:
        return _folded_text
    return _folded_time if attribute.type is Type.DATE_TIME else _as_it_is


def _folded_text(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _folded_time(value: Any) -> Any:
    moment = parse_time(value) if isinstance(value, str) else None
    return render_time(moment) if moment else value


def _as_it_is(value: Any) -> Any:
    return value
