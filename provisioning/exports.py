"""Rows as files: CSV that no spreadsheet runs, and JSON, both made piece by piece."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

_RUN_BY_SPREADSHEETS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Where a cell that begins so may be taken for a formula; the last four are full-width (OWASP, CSV Injection)."""


class _Line:
    """What ``csv.writer`` writes to: it keeps the last line."""

    def write(self, line: str) -> str:
        return line


def csv_lines(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Return the lines of a CSV file (RFC 4180); a text that a spreadsheet would run gets an apostrophe in front."""
    write = csv.writer(_Line()).writerow
    yield str(write(titles))
    for row in rows:
        yield str(write([_harmless(cell) for cell in row]))


def json_array(documents: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Return the pieces of one JSON array, one document a line."""
    before = "[\n"
    for document in documents:
        yield before + json.dumps(document, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def json_lines(documents: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Return JSON documents, one a line."""
    return (json.dumps(document, ensure_ascii=False) for document in documents)


def as_typed(cell: str) -> str:
    """Return the text that ``csv_lines`` made ``cell`` of."""
    return cell[1:] if cell.startswith("'") and _is_run(cell) else cell


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and _is_run(cell) else cell


def _is_run(cell: str) -> bool:
    """Return whether a spreadsheet would run the text, or would if apostrophes in front of it were taken away."""
    return cell.lstrip("'").startswith(_RUN_BY_SPREADSHEETS)
