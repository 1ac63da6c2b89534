"""The words of a filter, in one linear pass."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum

from scim.errors import InvalidFilter
from scim.schema.values import storable

MAX_BYTES = 8192

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*")
      | (?P<mark>[()\[\]])
      | (?P<word>[^\s()\[\]"]+)
    )""",
    re.VERBOSE,
)


class Kind(StrEnum):
    STRING = "string"
    MARK = "mark"
    WORD = "word"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """``text`` of a string is its value, without quotes and escapes."""

    kind: Kind
    text: str
    at: int

    def is_mark(self, mark: str) -> bool:
        return self.kind is Kind.MARK and self.text == mark

    def __str__(self) -> str:
        return "its end" if self.kind is Kind.END else f"{self.text[:60]!r}"


def tokenize(text: str) -> list[Token]:
    """Return the tokens of ``text`` and an ``END``. Raises ``InvalidFilter``."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise InvalidFilter(f"The filter is longer than {MAX_BYTES} bytes.")
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None or match.lastgroup is None:
            raise InvalidFilter(f"The filter has a string that does not end, from character {at + 1} on.")
        at = match.end()
        tokens.append(_token(Kind(match.lastgroup), match[match.lastgroup], match.start(match.lastgroup)))
    return [*tokens, Token(Kind.END, "", end)]


def _token(kind: Kind, text: str, at: int) -> Token:
    if kind is Kind.STRING:
        text = _unescaped(text)
    if not storable(text):
        raise InvalidFilter(f"The filter has a character that no value can hold, after character {at}.")
    return Token(kind, text, at)


def _unescaped(text: str) -> str:
    try:
        value: str = json.loads(text)
    except ValueError:
        raise InvalidFilter(f"The filter has a string with a wrong escape: {text}.") from None
    return value
