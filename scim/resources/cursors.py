"""Cursors (RFC 9865): where a page ended, as a text that only the same list of the same configuration accepts.

A cursor names the last row of the page by what rows are sorted by, so that rows which come and go in between make
nobody be missed or seen twice. It is signed with the configuration, the resource types, the filter and the order; it
is no authorization.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import orjson
from django.core.signing import BadSignature, Signer

from scim.discovery import Capabilities
from scim.errors import ExpiredCursor, InvalidCount, InvalidCursor

LIFETIME: Final = Capabilities().cursor_timeout

_SALT = "scim.resources.cursors"


class Position(NamedTuple):
    """The last row of a page: ``part`` counts the resource types that are searched.

    ``value`` is what the row was sorted by, or None. ``total`` is how many matched when the first page was read.
    """

    part: int
    pk: int
    value: str | int | float | None
    total: int


def seal(position: Position, *, scope: Sequence[str], count: int, at: datetime) -> str:
    """Return a cursor of unreserved characters (RFC 3986 §2.3) that is good for ``LIFETIME`` seconds."""
    content = orjson.dumps([int(at.timestamp()) + LIFETIME, count, *position])
    return _signer(scope).sign(urlsafe_b64encode(content).rstrip(b"=").decode())


def unseal(cursor: str, *, scope: Sequence[str], count: int, at: datetime) -> Position:
    """Return the position. Raises ``InvalidCursor``, ``ExpiredCursor``, and ``InvalidCount`` for another page size."""
    try:
        content = _signer(scope).unsign(cursor)
    except BadSignature:
        raise InvalidCursor from None
    expires, first_count, *position = orjson.loads(urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    if expires < at.timestamp():
        raise ExpiredCursor
    if first_count != count:
        raise InvalidCount(f"count was {first_count} on the first page. It must stay the same.")
    return Position(*position)


def _signer(scope: Sequence[str]) -> Signer:
    return Signer(salt=f"{_SALT} {orjson.dumps(list(scope)).decode()}", sep=".")
