"""Texts that the database keeps and must give back, such as the keys of authenticator apps: sealed by the secret key.

Fernet (AES-128-CBC and HMAC-SHA-256, https://github.com/fernet/spec) under a key of its own for each purpose.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """What was sealed cannot be read: it was changed, or ``MFMANAGE_SECRET_KEY`` was."""

    def __init__(self) -> None:
        super().__init__("What is stored was sealed under another MFMANAGE_SECRET_KEY. Set that one again, or anew.")


def seal(text: str, *, purpose: str) -> str:
    """Return the text so that only ``unseal`` with the same purpose can read it."""
    return _box(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """Return what was sealed. Raises ``Unreadable``."""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unreadable from error


def _box(purpose: str) -> Fernet:
    """Return the box of a purpose, whose key is derived from the secret key (RFC 5869)."""
    derived = HKDF(SHA256(), length=32, salt=None, info=f"mfmanage {purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(settings.SECRET_KEY.encode())))
