"""What the simulator remembers between cycles, and between runs in its state file."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any


class StateUnreadable(Exception):
    """The state file is not one that a run wrote."""


@dataclass
class UserAnchor:
    """The account that stands for a source user: its SCIM id, the manager's SCIM id written last, and ``active``."""

    target: str
    name: str
    manager: str | None = None
    active: bool = True


@dataclass
class GroupAnchor:
    """The group that stands for a source group, and the members written to it: source id → SCIM id."""

    target: str
    name: str
    members: dict[str, str] = field(default_factory=dict)


@dataclass
class Escrow:
    """An object that failed: how often, why the last time, not before when again, and if only its references did."""

    attempts: int
    code: str
    detail: str
    retry_at: str = ""
    is_reference: bool = False


@dataclass
class Quarantine:
    """The job is slowed down: Entra's code, a sentence, since when, and how many cycles it has lasted."""

    code: str
    reason: str
    since: str
    cycles: int = 0


@dataclass
class State:
    """The memory of a provisioning job.

    ``watermark`` counts the finished cycles, ``next_at`` is the simulated time of the next one, ``seen`` has a
    digest of every source object as the last finished cycle saw it, ``settings`` one of mapping and scope.
    ``users`` and ``groups`` are the cached ids by source id; ``escrows`` and ``staged`` (deletions held back)
    are by type and source id.
    """

    watermark: int = 0
    next_at: str = ""
    settings: str = ""
    seen: dict[str, str] = field(default_factory=dict)
    users: dict[str, UserAnchor] = field(default_factory=dict)
    groups: dict[str, GroupAnchor] = field(default_factory=dict)
    escrows: dict[str, Escrow] = field(default_factory=dict)
    staged: list[str] = field(default_factory=list)
    quarantine: Quarantine | None = None

    def forget_user(self, source_id: str) -> None:
        """Forget a deleted account; the service itself took it out of its groups."""
        self.users.pop(source_id, None)
        for group in self.groups.values():
            group.members.pop(source_id, None)


def load(path: Path) -> State:
    """Read a state file; a file that is not there is an empty state. Raises ``StateUnreadable``."""
    try:
        return _parsed(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return State()
    except OSError as error:
        raise StateUnreadable(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StateUnreadable(f"{path} is not a state file of the simulator.") from error


def save(state: State, path: Path) -> None:
    """Write the state file whole or not at all: a reader never sees half of it."""
    text = json.dumps(asdict(state), indent=1)
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def _parsed(raw: dict[str, Any]) -> State:
    kept = {"users": UserAnchor, "groups": GroupAnchor, "escrows": Escrow}
    found = {name: {key: kind(**value) for key, value in raw[name].items()} for name, kind in kept.items()}
    quarantine = raw.get("quarantine")
    return State(
        watermark=int(raw["watermark"]),
        next_at=str(raw.get("next_at", "")),
        settings=str(raw.get("settings", "")),
        seen=dict(raw.get("seen", {})),
        staged=list(raw.get("staged", [])),
        quarantine=Quarantine(**quarantine) if quarantine else None,
        **found,
    )
