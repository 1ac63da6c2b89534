"""Who does a deed, from where: every service takes one, and the audit log keeps it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person in the portal, a configuration over SCIM, an operator at the command line, or the system's workers."""

    kind: Literal["person", "configuration", "operator", "system"]
    name: str
    role: str = ""
    address: str = ""
    request_id: str = ""


SYSTEM = Actor(kind="system", name="mfmanage")


def operator(command: str) -> Actor:
    """Return the actor of a ``manage.py`` command."""
    return Actor(kind="operator", name=f"manage.py {command}")
