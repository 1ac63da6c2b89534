"""Celery tasks of the directory; safe to repeat, to lose and to double."""

from datetime import timedelta
from typing import Any, Final

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from provisioning.services import (
    audit_heads,
    audit_verification,
    deletion,
    mails,
    notifications,
    password_mails,
    secret_warnings,
    user_imports,
)
from provisioning.services.pruning import prune_log, prune_stops, prune_tokens
from provisioning.session_store import SessionStore

_STOPS_KEPT: Final = timedelta(days=1)
_TOKENS_KEPT: Final = timedelta(days=1)
_IMPORTS_KEPT: Final = timedelta(days=30)


@shared_task(name="provisioning.prune", acks_late=True, ignore_result=True)
def prune(**_future: Any) -> None:
    """Remove what the log keeps no longer, and stops, tokens, imports, links and sessions; make deletions final."""
    now = timezone.now()
    prune_log(before=now - settings.LOG_RETENTION)
    prune_stops(before=now - _STOPS_KEPT)
    prune_tokens(before=now - _TOKENS_KEPT)
    notifications.forget(before=now - settings.LOG_RETENTION)
    deletion.purge(at=now)
    user_imports.prune(before=now - _IMPORTS_KEPT)
    password_mails.prune(now=now)
    SessionStore.clear_expired()


@shared_task(name="provisioning.audit", acks_late=True, ignore_result=True)
def audit(**_future: Any) -> None:
    """Write down outside the database where every audit log ends, then check them all."""
    now = timezone.now()
    try:
        audit_heads.export(now)
    finally:
        audit_verification.verify_all(now)


@shared_task(name="provisioning.mails", acks_late=True, ignore_result=True)
def send_mails(**_future: Any) -> None:
    """Send people links to set a password, and tell them what has not been told yet; what cannot be sent stays due."""
    password_mails.send_due(timezone.now())
    mails.send_due(timezone.now())


@shared_task(name="provisioning.secrets", acks_late=True, ignore_result=True)
def look_at_secrets(**_future: Any) -> None:
    """Begin and end the notifications about secrets and bearer tokens that expire; their mails go with the others."""
    secret_warnings.look(timezone.now())


@shared_task(name="provisioning.import", acks_late=True, ignore_result=True)
def apply_import(*, import_id: int, **_future: Any) -> None:
    """Go on with a file of users that an admin has confirmed."""
    user_imports.apply(import_id=import_id, at=timezone.now())


@shared_task(name="provisioning.imports", acks_late=True, ignore_result=True)
def apply_imports(**_future: Any) -> None:
    """Have every confirmed file of users gone on with that is not whole yet."""
    for import_id in user_imports.due():
        apply_import.apply_async(kwargs={"import_id": import_id})
