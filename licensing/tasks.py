"""Celery tasks: they carry keys and say *look*; what there is to do stands in the database.

Any of them may be lost, doubled or late. ``acks_late``: a task whose worker dies is delivered again, and every task is
safe to repeat. Keyword arguments that a newer version may add are passed over.
"""

from collections.abc import Iterable
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from licensing import sweep
from licensing.reconcilers import licenses, vaults
from licensing.services import alerts, due, history, incidents
from provisioning import tenancy
from provisioning.models import Subscription
from provisioning.tasks import send_mails


@shared_task(name="licensing.licenses", acks_late=True, ignore_result=True)
def reconcile_licenses(*, subscription_id: int, **_future: Any) -> None:
    """Look at the licenses of a subscription, then have its vaults looked at."""
    licenses.reconcile(subscription_id, now=timezone.now())
    _call(sweep.due_vaults(timezone.now(), subscription_id=subscription_id, slots=settings.WORKER_SLOTS))


@shared_task(name="licensing.vault", acks_late=True, ignore_result=True)
def reconcile_vault(*, vault_id: int, **_future: Any) -> None:
    """Work at one vault for its turn, then have the next turn called; one that is slow or down delays no other."""
    tally = vaults.reconcile(vault_id, now=timezone.now(), slots=settings.WORKER_SLOTS)
    if tally and tally.is_slow:
        with tenancy.everybody():
            _call(sweep.due_slow_vaults(timezone.now())[:1])
    elif tally and tally.is_unfinished:
        _call([vault_id])


def _call(vault_ids: Iterable[int]) -> None:
    for vault_id in vault_ids:
        reconcile_vault.apply_async(kwargs={"vault_id": vault_id})


@shared_task(name="licensing.sweep", acks_late=True, ignore_result=True)
def sweep_all(**_future: Any) -> None:
    """Have everything looked at that is due or behind its generation."""
    now = timezone.now()
    for subscription_id in due.due_subscriptions(now):
        reconcile_licenses.apply_async(kwargs={"subscription_id": subscription_id})
    _call(sweep.due_vaults(now, slots=settings.WORKER_SLOTS))


@shared_task(name="licensing.history", acks_late=True, ignore_result=True)
def record_days(**_future: Any) -> None:
    """Write down how the pools of every subscription stand today."""
    now = timezone.now()
    for subscription in Subscription.objects.order_by("pk"):
        history.record(subscription, now)


@shared_task(name="licensing.alerts", acks_late=True, ignore_result=True)
def look_at_pools(**_future: Any) -> None:
    """Begin and end the notifications about pools and vaults, then have the mails sent that are due."""
    now = timezone.now()
    alerts.look(now)
    incidents.look(now)
    send_mails.apply_async()
