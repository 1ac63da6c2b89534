"""Mail that waits becomes a hint to the workers; without one it goes with their next turn, within a minute."""

from typing import Any, Final

import structlog
from celery.exceptions import OperationalError
from django.conf import settings

from provisioning.tasks import send_mails

_IN_MEMORY: Final = "memory://"
log = structlog.get_logger(__name__)


def mail_waiting(**_: Any) -> None:
    """Receive the signal of that name. The embedded worker looks by itself and needs no hint."""
    if settings.CELERY_BROKER_URL == _IN_MEMORY:
        return
    try:
        send_mails.apply_async(retry=False)
    except (OperationalError, OSError) as error:
        log.warning("the broker cannot be reached; mail goes with the next turn", error=str(error))
