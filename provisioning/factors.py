"""The second factor: how its keys are kept, and that a code counts once."""

from typing import Any, Final

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from django.core.cache import cache
from django.core.exceptions import ValidationError

from provisioning import sealing

_PURPOSE: Final = "second factor"
_WRONG: Final = "The code is wrong, or was used already. Wait for the next one, or use a recovery code."


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """django-allauth's behavior, with keys and seeds sealed in the database."""

    error_messages = {**DefaultMFAAdapter.error_messages, "incorrect_code": _WRONG}

    def encrypt(self, text: str) -> str:
        return sealing.seal(text, purpose=_PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises ``ValidationError`` when the operator has changed the secret key: a form says so."""
        try:
            return sealing.unseal(encrypted_text, purpose=_PURPOSE)
        except sealing.Unreadable as error:
            raise ValidationError(
                "Your second factor cannot be checked, because this installation has another secret key than before. "
                "Ask its operator."
            ) from error


def is_used_up(user_id: Any, code: str) -> bool:
    """Return whether the code has let the person in lately."""
    return _key(user_id, code) in cache


def use_up(user_id: Any, code: str) -> None:
    """Let a code count once, while its time and the tolerance last (RFC 6238 §5.2). Raises ``ValidationError``.

    ``allauth`` remembers a code for one period only, and an activation's not at all.
    """
    seconds = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)
    if not cache.add(_key(user_id, code), True, timeout=seconds):
        raise ValidationError(_WRONG, code="incorrect_code")


def _key(user_id: Any, code: str) -> str:
    return f"used-code:{user_id}:{normalize_user_code(code)}"
