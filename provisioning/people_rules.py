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
APPLICATION_LABELS: Final[Mapping[str, str]] = {"full_name": "Name", "username": "Client ID"}
"""What the fields of an application account are called; it has no others."""
_NEEDED: Final = {"full_name": "name", "username": "client ID"}


def problem(field: str, text: str) -> str:
    """Return why the field of that name, one of ``Details``, cannot hold ``text``; an empty text: it can."""
    label, longest = LABELS[field], LONGEST_INFORMATION if field.startswith("info") else LONGEST
    if field == "username" and not text:
        return "A user needs a username."
    if sentence := _malformed(label, longest, text):
        return sentence
    if field == "email" and text and not _EMAIL.fullmatch(text):
        return f"“{text}” is not an email address. Write it like ann@example.com."
    return ""


def application_problem(field: str, text: str) -> str:
    """Return why a field of an application account cannot hold ``text``; an empty text: it can."""
    if not text:
        return f"An application account needs a {_NEEDED[field]}."
    return _malformed(APPLICATION_LABELS[field], LONGEST, text)


def _malformed(label: str, longest: int, text: str) -> str:
    if len(text) > longest:
        return f"{label} has {len(text):,} characters; {longest:,} are the most."
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        return f"{label} has a line break or another control character. Take it out."
    if text != text.strip():
        return f"{label} begins or ends with a space. Take it away."
    return ""


def problems(details: Details) -> dict[str, str]:
    """Return the sentence of every field that cannot hold what it has."""
    found = {field: problem(field, text) for field, text in details._asdict().items()}
    return {field: sentence for field, sentence in found.items() if sentence}
