"""The Vaults cell of a file of users in plain Python: names with a bar between them, and what a change asks for."""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Final, NamedTuple

SEPARATOR: Final = "|"


class Change(NamedTuple):
    """The names, as they were written, of vaults to give access to and of those to take it away from."""

    given: list[str]
    taken: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an account has access and why, by ``key``: what an admin gave or disabled, and what links give."""

    given: Set[str] = frozenset()
    blocked: Set[str] = frozenset()
    linked: Set[str] = frozenset()


def key(name: str) -> str:
    """Return what tells vaults apart: letter case does not."""
    return name.strip().lower()


def change(old: str, new: str) -> Change:
    """Return what the new cell asks for; an empty one says nothing, nor do the order and the letter case of names."""
    before, after = _names(old), _names(new)
    if not after:
        return Change([], [])
    given = [name for one, name in after.items() if one not in before]
    return Change(given, [name for one, name in before.items() if one not in after])


def wrong(asked: Change, standing: Standing, vaults: Set[str]) -> Iterator[str]:
    """Return why the change cannot be; ``vaults`` are the keys of all vaults that there are."""
    for name in asked.given:
        if key(name) not in vaults:
            yield f"There is no vault “{name}”. Write the name as the list of vaults has it."
        elif key(name) in standing.blocked:
            yield f"An admin disabled the user in “{name}”. Enable the user there first, on the user's page."
    for name in asked.taken:
        if key(name) in standing.linked:
            yield f"Links give access to “{name}”, which a file cannot take away. Leave the name."
        elif key(name) not in standing.given:
            yield f"No admin gave the access to “{name}”, so a file cannot take it away. Leave the name."


def _names(cell: str) -> dict[str, str]:
    return {key(name): name.strip() for name in cell.split(SEPARATOR) if name.strip()}
