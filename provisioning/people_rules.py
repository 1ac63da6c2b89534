"""What a person's fields may hold, in plain Python: forms, files and services refuse with the same sentences."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final, NamedTuple

LONGEST: Final = 256
"""The most characters that a username, a full name or an e-mail address may have."""
LONGEST_INFORMATION: Final = 2000
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)*")


class Details(NamedTuple):
    """What a person is called, and what else is known of them."""

    username: str
    full_name: str = ""
    email: str = ""
    info1: str = ""
    info2: str = ""


LABELS: Final[Mapping[str, str]] = {
    "username": "Username",
    "full_name": "Full name",
    "email": "Email",
    "info1": "Additional information 1",
    "info2": "Additional information 2",
}


def problem(field: str, text: str) -> str:
    """Return why the field of that name, one of ``Details``, cannot hold ``text``; an empty text: it can."""
    label, longest = LABELS[field], LONGEST_INFORMATION if field.startswith("info") else LONGEST
    if field == "username" and not text:
        return "A user needs a username."
    if len(text) > longest:
        return f"{label} has {len(text):,} characters; {longest:,} are the most."
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        return f"{label} has a line break or another control character. Take it out."
    if text != text.strip():
        return f"{label} begins or ends with a space. Take it away."
    if field == "email" and text and not _EMAIL.fullmatch(text):
        return f"“{text}” is not an email address. Write it like ann@example.com."
    return ""


def problems(details: Details) -> dict[str, str]:
    """Return the sentence of every field that cannot hold what it has."""
    found = {field: problem(field, text) for field, text in details._asdict().items()}
    return {field: sentence for field, sentence in found.items() if sentence}
