"""Celery tasks of the directory; safe to repeat, to lose and to double."""

from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from provisioning.services import deletion, mails
from provisioning.services.pruning import prune_log


@shared_task(name="provisioning.prune", acks_late=True, ignore_result=True)
def prune(**_future: Any) -> None:
    """Remove what the log keeps no longer (``MFMANAGE_LOG_RETENTION``), and make old deletions final."""
    now = timezone.now()
    prune_log(before=now - settings.LOG_RETENTION)
    deletion.purge(at=now)


@shared_task(name="provisioning.mails", acks_late=True, ignore_result=True)
def send_mails(**_future: Any) -> None:
    """Tell people by mail what has not been told yet; what cannot be sent stays due."""
    mails.send_due(timezone.now())
