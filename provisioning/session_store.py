"""Sessions in the database: known by digests, listed by person, over after two idle hours or twelve in all.

Django's own store, with a model of its own (``SESSION_ENGINE``). Who reads the database, or a copy of it, finds nothing
there that a browser could show; ending a person's sessions is deleting rows.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from provisioning.models import PortalSession
from provisioning.models.sign_in import IDLE

SIGN_IN: Final = "sign_in"
"""Where a session keeps how it began: ``at``, ``address``, ``browser``, and ``subscription`` after single sign-on."""
_NOTED_EVERY: Final = timedelta(minutes=5)


def digest(key: str) -> str:
    """Return how the database knows a session; its key has 165 bits, so a fast hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


class SessionStore(DatabaseStore):
    """The session behind a cookie; its key is the cookie's, the row's is the digest of that."""

    @classmethod
    def get_model_class(cls) -> type[PortalSession]:
        return PortalSession

    def load(self) -> dict[str, Any]:
        now = timezone.now()
        row = self._row(now)
        if row is None:
            self._session_key = None
            return {}
        if now - row.seen_at > _NOTED_EVERY:
            PortalSession.objects.filter(pk=row.pk).update(seen_at=now)
        return self.decode(row.session_data)

    def exists(self, session_key: str) -> bool:
        return super().exists(digest(session_key))

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            PortalSession.objects.filter(pk=digest(key)).delete()

    def create_model_instance(self, data: dict[str, Any]) -> PortalSession:
        row = cast("PortalSession", super().create_model_instance(data))
        row.session_key, row.seen_at = digest(row.session_key), timezone.now()
        if SESSION_KEY in data:
            row.user_id = int(data[SESSION_KEY])
            self._describe(row, data.get(SIGN_IN, {}))
        return row

    def _row(self, now: datetime) -> PortalSession | None:
        return PortalSession.live(now).filter(pk=digest(self.session_key or "")).first()

    def _describe(self, row: PortalSession, begun: dict[str, Any]) -> None:
        """Say how the session began; from then on it lives for ``SESSION_COOKIE_AGE``, however often it is saved."""
        row.signed_in_at = datetime.fromisoformat(begun["at"]) if begun else row.seen_at
        row.expire_date = row.signed_in_at + timedelta(seconds=settings.SESSION_COOKIE_AGE)
        row.address, row.browser = begun.get("address", ""), begun.get("browser", "")
        row.account_id = begun.get("account")

    @classmethod
    def clear_expired(cls) -> None:
        now = timezone.now()
        PortalSession.objects.filter(expire_date__lte=now).delete()
        PortalSession.objects.filter(seen_at__lte=now - IDLE).delete()
