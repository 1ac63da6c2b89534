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
    """The account that stands for a source user: its SCIM id, and the source id of the manager written last."""

    target: str
    name: str
    manager: str | None = None


@dataclass
class GroupAnchor:
    """The group that stands for a source group, and the members written to it: source id → SCIM id."""

    target: str
    name: str
    members: dict[str, str] = field(default_factory=dict)


@dataclass
class Escrow:
    """An object that failed: how often so far, and why the last time."""

    attempts: int
    code: str
    detail: str


@dataclass
class State:
    """The cached ids, the number of finished cycles (the watermark) and the escrows, by source id."""

    watermark: int = 0
    users: dict[str, UserAnchor] = field(default_factory=dict)
    groups: dict[str, GroupAnchor] = field(default_factory=dict)
    escrows: dict[str, Escrow] = field(default_factory=dict)

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
    return State(
        watermark=int(raw["watermark"]),
        users={key: UserAnchor(**value) for key, value in raw["users"].items()},
        groups={key: GroupAnchor(**value) for key, value in raw["groups"].items()},
        escrows={key: Escrow(**value) for key, value in raw["escrows"].items()},
    )
