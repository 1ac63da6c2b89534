"""Tell the workers, after the commit, that a subscription has something for them to look at."""

from functools import partial

from django.db import transaction

from provisioning.signals import directory_changed


def announce(subscription_id: int) -> None:
    """Send ``directory_changed`` once the running transaction has committed; a failing receiver changes nothing."""
    transaction.on_commit(partial(_send, subscription_id), robust=True)


def _send(subscription_id: int) -> None:
    directory_changed.send_robust(sender=None, subscription_id=subscription_id)
