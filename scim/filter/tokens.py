"""The words of a filter, in one linear pass."""

import json
import re
from enum import StrEnum
from typing import NamedTuple

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


_KINDS: dict[str | None, Kind] = {kind.value: kind for kind in Kind}


class Token(NamedTuple):
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
    if not storable(text):
        raise InvalidFilter("The filter has a character that no value can hold.")
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None:
            raise InvalidFilter(f"The filter has a string that does not end, from character {at + 1} on.")
        kind, at = _KINDS[match.lastgroup], match.end()
        word = match[kind]
        tokens.append(Token(kind, _unescaped(word) if kind is Kind.STRING else word, at - len(word)))
    return [*tokens, Token(Kind.END, "", end)]


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text[1:-1]
    try:
        value: str = json.loads(text)
    except ValueError:
        raise InvalidFilter(f"The filter has a string with a wrong escape: {text[:60]}.") from None
    if not storable(value):
        raise InvalidFilter(f"The filter has a character that no value can hold: {text[:60]}.")
    return value
