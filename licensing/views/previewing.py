"""Pages that show what a change would do, a part of the concerned accounts at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from provisioning.permissions import PortalRequest

SHOWN: Final = 50
"""How many accounts a page lists."""
_LONGEST_NUMBER: Final = 7


@dataclass(frozen=True, slots=True)
class NumberedPage:
    """A part of a list that exists only while it is looked at, so that no key leads on; the numbers start at 1."""

    rows: list[dict[str, str]]
    previous: str
    next: str


def look(request: PortalRequest, preview: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """Return what ``licensing/_preview.html`` shows: the preview, and the page that the address asks for.

    ``preview`` is called once, with ``offset`` and ``limit``.
    """
    word = request.GET.get("page", "")
    number = max(1, int(word)) if word.isdecimal() and len(word) <= _LONGEST_NUMBER else 1
    found = preview(offset=(number - 1) * SHOWN, limit=SHOWN + 1)
    rows = found["accounts"]
    page = NumberedPage(
        rows=rows[:SHOWN],
        previous=str(number - 1) if number > 1 else "",
        next=str(number + 1) if len(rows) > SHOWN else "",
    )
    return {"preview": found, "page": page}
