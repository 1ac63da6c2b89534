"""Celery tasks of the directory; safe to repeat, to lose and to double."""

from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from provisioning.services.pruning import prune_log


@shared_task(name="provisioning.prune", acks_late=True, ignore_result=True)
def prune(**_future: Any) -> None:
    """Remove what the provisioning log keeps no longer (``MFMANAGE_LOG_RETENTION``)."""
    prune_log(before=timezone.now() - settings.LOG_RETENTION)
