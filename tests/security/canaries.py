"""Secrets that are looked for wherever they must not be, in every encoding in which they could have got there."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field

WINDOW = 16
"""So many characters of an encoded secret in a row are a find: 80 bits and more, so that none is by accident."""


def encodings(secret: str) -> Iterator[tuple[str, str]]:
    """Yield name and text of each form: raw, base64 and base64url wherever it begins, hex, URL- and JSON-escaped."""
    raw = secret.encode()
    yield "raw", secret
    for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for shift in range(3):
            # Its neighbours have a share in the first and last four characters.
            yield name, encode(b"\0" * shift + raw).decode()[4:-4]
    yield "hex", raw.hex()
    yield "hex", raw.hex().upper()
    yield "URL-escaped", "".join(f"%{byte:02X}" for byte in raw)
    yield "URL-escaped", "".join(f"%{byte:02x}" for byte in raw)
    yield "JSON-escaped", "".join(f"\\u{byte:04x}" for byte in raw)


def base64_of_pair(client_id: str, secret: str) -> str:
    """Return what an Authorization header of a client holds (RFC 7617)."""
    return base64.b64encode(f"{client_id}:{secret}".encode()).decode()


@dataclass
class Canaries:
    """Secrets by what they are, and how they are found."""

    names: dict[str, str] = field(default_factory=dict)
    _windows: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def add(self, name: str, secret: str) -> str:
        """Remember a secret, and return it. What all of its kind begin with is no secret."""
        self.names[secret] = name
        body = secret.partition("_")[2] if secret[:5].endswith("_") else secret
        for encoding, text in encodings(body):
            for start in range(0, len(text) - WINDOW + 1, WINDOW):
                self._windows[text[start : start + WINDOW]] = (name, encoding)
        return secret

    def found_in(self, text: str) -> set[tuple[str, str]]:
        """Return which secrets, and in which encodings, are in the text, in whole or in part."""
        windows = self._windows
        places = range(len(text) - WINDOW + 1)
        return {windows[part] for start in places if (part := text[start : start + WINDOW]) in windows}
