"""The CSV file of users in plain Python (1-product §1.7): its words, reading one whole, and what it asks for.

A file is first read (``read``), which finds what is wrong with it by itself, then held against the accounts that are
there (``asked``). Every fault names its line, its column and what to do.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from provisioning import vault_cells
from provisioning.exports import as_typed
from provisioning.license_types import LicenseType
from provisioning.people_rules import LABELS, Details, problem
from provisioning.vault_cells import Standing

MOST_ROWS: Final = 100_000
MOST_BYTES: Final = 20 * 1024 * 1024
INTERNAL: Final = "Internal user"
ROLES: Final = ("No Role", "Billing Admin", "Access Admin", "Subscription Admin")
"""The words for roles, in the order of their numbers."""
_TYPES: Final = {one.label: one for one in reversed(LicenseType)}
LICENSE_TYPES: Final = tuple(_TYPES)
ENABLED, DISABLED, ADDED, DELETED = STATES = ("Enabled", "Disabled", "Added", "Deleted")


_NO_STANDING: Final = Standing()


class Cells(NamedTuple):
    """A row, in the words of the file; ``vaults`` are names with a bar between them."""

    account_type: str
    username: str
    full_name: str
    email: str
    license_type: str
    role: str
    state: str
    info1: str
    info2: str
    vaults: str

    @property
    def details(self) -> Details:
        return Details(self.username, self.full_name, self.email, self.info1, self.info2)


TITLES: Final = Cells(
    *("Account type", "Username", "Full name", "Email", "License type", "Role", "State"),
    *("Additional information 1", "Additional information 2", "Vaults"),
)
_WORDS: Final = {"license_type": LICENSE_TYPES, "role": ROLES, "state": STATES}


class Fault(NamedTuple):
    """Something that is wrong with a file; ``column`` is empty when it is the whole line."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file and the line that it begins at."""

    line: int
    cells: Cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An account as it is now; ``source`` is the configuration that it came through, empty for a manual one.

    ``is_held``: its identity provider still knows it, so that only the provider can end it. ``standing`` is why it has
    access to vaults.
    """

    pk: int
    cells: Cells
    source: str = ""
    is_held: bool = False
    is_removed: bool = False
    standing: Standing = _NO_STANDING


@dataclass(frozen=True, slots=True)
class Asked:
    """What a row asks for; ``changes`` is ``{title: [old, new]}`` and ``pk`` None for who is to be added."""

    line: int
    pk: int | None
    cells: Cells
    changes: dict[str, list[str]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the row as it is kept until somebody confirms it."""
        return {"line": self.line, "pk": self.pk, "cells": list(self.cells), "changes": self.changes}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Asked":
        return cls(document["line"], document["pk"], Cells(*document["cells"]), document["changes"])

    @property
    def effects(self) -> list[str]:
        """Which of added, deleted, enabled, disabled and changed the row does; a row may do several."""
        if self.cells.state in {ADDED, DELETED}:
            return [self.cells.state.lower()]
        found = [self.cells.state.lower()] if TITLES.state in self.changes else []
        return [*found, "changed"] if self.changes.keys() - {TITLES.state} else found

    @property
    def vaults(self) -> vault_cells.Change:
        """The vaults that the row gives and takes access to."""
        if self.cells.state == DELETED or TITLES.vaults not in self.changes:
            return vault_cells.Change([], [])
        return vault_cells.change(*self.changes[TITLES.vaults])

    @property
    def chosen_type(self) -> LicenseType | None:
        """The license type that the row gives a person; None where it leaves that alone."""
        if self.cells.state == DELETED or TITLES.license_type not in self.changes:
            return None
        chosen = _TYPES[self.cells.license_type]
        return chosen if chosen or self.pk else None


def read(data: bytes) -> tuple[list[Row], list[Fault]]:
    """Return the sound rows of a file and everything that is wrong with the file by itself."""
    if len(data) > MOST_BYTES:
        return [], [Fault(1, "", f"The file has more than {MOST_BYTES // 1024**2} MB. Split it and import the parts.")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return [], [Fault(line, "", "The file is not UTF-8 text. Save it as “CSV UTF-8”.")]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows: list[Row] = []
    faults: list[Fault] = []
    try:
        if fault := _title_fault(next(lines, [])):
            return [], [fault]
        for line, cells in _numbered(lines):
            if len(rows) == MOST_ROWS:
                return [], [Fault(line, "", f"The file has more than {MOST_ROWS:,} rows. Split it.")]
            _take(rows, faults, line, cells)
    except csv.Error as error:
        faults.append(Fault(lines.line_num, "", f"The line is not CSV ({error}). Look at its quotation marks."))
    faults += _duplicates(rows)
    faulty = {fault.line for fault in faults}
    return [row for row in rows if row.line not in faulty], sorted(faults)


def asked(
    rows: Iterable[Row],
    known: Mapping[str, Known],
    *,
    admins: frozenset[int],
    may_touch: Callable[..., bool],
    vaults: Set[str] = frozenset(),
) -> tuple[list[Asked], list[Fault]]:
    """Return what the rows ask for, and what is wrong with them as things stand.

    ``known`` is by case-folded username, ``admins`` are all enabled Subscription admins, and ``may_touch`` says
    whether the person who imports may change accounts that have, or shall have, these roles (their numbers).
    ``vaults`` are all vaults, as ``vault_cells.key`` has their names.
    """
    wanted: list[Asked] = []
    faults: list[Fault] = []
    for row in rows:
        account = known.get(row.cells.username.casefold())
        one = Asked(row.line, account.pk if account else None, row.cells, _changes(row.cells, account))
        found = [Fault(row.line, column, reason) for column, reason in _wrong(one, account, may_touch, vaults)]
        faults += found
        if one.changes and not found:
            wanted.append(one)
    return wanted, sorted([*faults, *_last_admin(wanted, admins)])


def _delimiter(text: str) -> str:
    """Return the semicolon where the titles have it, as spreadsheets write in many languages."""
    return ";" if ";" in text.partition("\n")[0] else ","


def _title_fault(titles: list[str]) -> Fault | None:
    for number, title in enumerate(TITLES):
        if number >= len(titles) or titles[number] != title:
            there = f"“{titles[number]}”" if number < len(titles) else "nothing"
            return Fault(1, title, f"The title row must be unchanged: there is {there} where “{title}” belongs.")
    if len(titles) > len(TITLES):
        return Fault(1, titles[len(TITLES)], f"The title row must be unchanged: it ends with “{TITLES.vaults}”.")
    return None


def _numbered(lines: Any) -> Iterator[tuple[int, list[str]]]:
    """Return the rows that hold something, each with the line that it begins at."""
    begins = lines.line_num + 1
    for cells in lines:
        if any(cells):
            yield begins, cells
        begins = lines.line_num + 1


def _take(rows: list[Row], faults: list[Fault], line: int, texts: list[str]) -> None:
    if len(texts) != len(TITLES):
        faults.append(Fault(line, "", f"The line has {len(texts)} cells; {len(TITLES)} belong there."))
        return
    cells = Cells(*map(as_typed, texts))
    for name, words in _WORDS.items():
        typed: str = getattr(cells, name)
        word = next((word for word in words if word.casefold() == typed.strip().casefold()), None)
        if word is None:
            one_of = ", ".join(words)
            faults.append(Fault(line, getattr(TITLES, name), f"“{typed}” is not known. Write one of: {one_of}."))
        else:
            cells = cells._replace(**{name: word})
    rows.append(Row(line, cells))


def _duplicates(rows: Iterable[Row]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for row in rows:
        line = first.setdefault(row.cells.username.casefold(), row.line)
        if line != row.line:
            yield Fault(row.line, TITLES.username, f"“{row.cells.username}” stands in line {line} already.")


def _changes(cells: Cells, account: Known | None) -> dict[str, list[str]]:
    """Return what the row makes different; an empty cell of vaults says nothing."""
    if account is None:
        return {title: ["", cell] for title, cell in zip(TITLES, cells, strict=True) if cell}
    pairs = zip(TITLES, account.cells, cells, strict=True)
    changes = {title: [old, new] for title, old, new in pairs if old != new}
    vaults = changes.pop(TITLES.vaults, None)
    if vaults and any(vault_cells.change(*vaults)):
        changes[TITLES.vaults] = vaults
    return changes


def _wrong(
    one: Asked, account: Known | None, may_touch: Callable[..., bool], vaults: Set[str]
) -> Iterator[tuple[str, str]]:
    """Return the columns of a row that cannot be as they are, each with the reason."""
    if account is None:
        yield from _wrong_new(one, vaults)
    elif account.cells.account_type != INTERNAL:
        yield TITLES.username, f"“{one.cells.username}” is no internal user. A file changes these alone."
    elif one.cells.state == ADDED:
        yield TITLES.state, "There is a user of that name. Write Enabled or Disabled to keep it."
    elif one.cells.state == DELETED:
        yield from _wrong_deletion(account)
    else:
        yield from _wrong_change(one, account, vaults)
    roles = {ROLES.index(cells.role) for cells in (one.cells, account.cells if account else one.cells)}
    if one.changes and not may_touch(*roles):
        yield TITLES.role, "Only a Subscription admin can change or appoint a Billing or Subscription admin."


def _wrong_new(one: Asked, vaults: Set[str]) -> Iterator[tuple[str, str]]:
    cells = one.cells
    if cells.state != ADDED:
        yield TITLES.username, f"There is no user “{cells.username}”. Write Added as the state to make one."
        return
    if cells.account_type != INTERNAL:
        yield TITLES.account_type, f"Only “{INTERNAL}” can be added by a file."
    for reason in vault_cells.wrong(one.vaults, _NO_STANDING, vaults):
        yield TITLES.vaults, reason
    yield from _malformed(cells.details, LABELS.values())


def _wrong_deletion(account: Known) -> Iterator[tuple[str, str]]:
    if account.is_held:
        yield TITLES.state, f"“{account.source}” provisions the user. Remove the user there first."
    elif account.cells.state == ENABLED:
        yield TITLES.state, "Only a disabled user can be deleted. Write Disabled, import, then delete."


def _wrong_change(one: Asked, account: Known, vaults: Set[str]) -> Iterator[tuple[str, str]]:
    if TITLES.account_type in one.changes:
        yield TITLES.account_type, f"It must stay “{account.cells.account_type}”."
    for reason in vault_cells.wrong(one.vaults, account.standing, vaults):
        yield TITLES.vaults, reason
    if account.is_removed and one.vaults.given:
        yield TITLES.vaults, "The identity provider removed the user, who gets into no vault any more."
    if account.is_removed and TITLES.license_type in one.changes:
        yield TITLES.license_type, "The identity provider removed the user, who gets no license any more."
    if account.source:
        for title in (*LABELS.values(), TITLES.state):
            if title in one.changes:
                old = one.changes[title][0]
                yield title, f"“{account.source}” provisions the user and decides this. Leave “{old}”."
    else:
        yield from _malformed(one.cells.details, one.changes)


def _malformed(details: Details, titles: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name, text in details._asdict().items():
        if LABELS[name] in titles and (sentence := problem(name, text)):
            yield LABELS[name], sentence


def _last_admin(wanted: list[Asked], admins: frozenset[int]) -> list[Fault]:
    """Return a fault for each row that takes an admin away, if the file would leave none that is enabled."""
    made = {one.line for one in wanted if one.cells.role == ROLES[-1] and one.cells.state in {ENABLED, ADDED}}
    ending = [one for one in wanted if one.pk in admins and one.line not in made]
    if not ending or made or len({one.pk for one in ending}) < len(admins):
        return []
    reason = "This would leave no enabled Subscription admin. Appoint another one first."
    return [Fault(one.line, TITLES.state if TITLES.state in one.changes else TITLES.role, reason) for one in ending]
