"""PATCH (RFC 7644 §3.5.2): a body → elementary operations (``parse``) → a changed document (``apply``)."""

from scim.patch.engine import Patched, apply
from scim.patch.operations import Op, Operation, parse
from scim.patch.sets import SetChange, SetKind

__all__ = ["Op", "Operation", "Patched", "SetChange", "SetKind", "apply", "parse"]
