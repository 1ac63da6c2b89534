"""Which passwords are too easy to guess here, beside those that are common everywhere (docs/security.md)."""

import re
from typing import Any, Final

from django.core.exceptions import ValidationError

from provisioning.models import LoginAccount

CONTEXT_WORDS: Final = (
    "mfmanage",
    "mfiles",
    "manage",
    "provisioning",
    "subscription",
    "microsoft",
    "entra",
    "azure",
    "vault",
    "license",
    "admin",
    "password",
    "welcome",
    "portal",
)
_SHORTEST_WORD: Final = 4
_LEAST_BESIDE: Final = 6
"""So many other letters make a password that holds such a word hard enough to guess."""
_SIGNS: Final = re.compile(r"[\W\d_]")


class ContextWordValidator:
    """Refuse what is little more than names of this product and of the person's subscriptions (ASVS 5.0, 6.2.11)."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ``ValidationError``."""
        left = _SIGNS.sub("", password.casefold())
        found = [word for word in sorted(_words(user), key=len, reverse=True) if word in left]
        for word in found:
            left = left.replace(word, "")
        if found and len(left) < _LEAST_BESIDE:
            raise ValidationError(
                "The password is little more than names that belong here. Choose other words.", code="context"
            )

    def get_help_text(self) -> str:
        return "Not only the name of the product or of your subscription."


def _words(user: Any) -> set[str]:
    """Return the words of the product and those of the names of the subscriptions that ``user`` belongs to."""
    accounts = LoginAccount.objects.filter(user=user) if getattr(user, "pk", None) else LoginAccount.objects.none()
    names = accounts.values_list("subscription__name", flat=True)
    own = {part for name in names for part in _SIGNS.sub(" ", name.casefold()).split()}
    return {*CONTEXT_WORDS, *(word for word in own if len(word) >= _SHORTEST_WORD)}
