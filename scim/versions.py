"""Conditional requests (RFC 7644 §3.14; RFC 9110 §13.1): what If-Match and If-None-Match say of a version."""

from collections.abc import Callable, Mapping
from typing import Any

from scim.resources.rendering import etag


def names(header: str, version: str) -> bool:
    """Whether the header lists the entity tag ``version``, weakly or strongly, with its quotes or without, or ``*``.

    What cannot be read names no version, so a write under such a condition is refused and a read answers in full:
    to ignore the header would be to write unconditionally what was to be written conditionally.
    """
    tags = [tag.strip() for tag in header.split(",")]
    return "*" in tags or _opaque(version) in map(_opaque, tags)


def condition(headers: Mapping[str, Any]) -> Callable[[int], bool] | None:
    """Return which versions the request (its ``META``) may change; None where it does not say."""
    if_match, if_none_match = headers.get("HTTP_IF_MATCH"), headers.get("HTTP_IF_NONE_MATCH")
    if not if_match and not if_none_match:
        return None

    def admits(version: int) -> bool:
        return not (if_match and not names(if_match, etag(version))) and not (
            if_none_match and names(if_none_match, etag(version))
        )

    return admits


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/").strip('"')
