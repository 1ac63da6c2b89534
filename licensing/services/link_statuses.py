"""What the workers record of a link, whose row is locked meanwhile: a person may remove the link at any moment."""

from typing import Any

from django.db import transaction

from licensing.models import LinkStatus
from provisioning.models import GroupLink


class LinkRemoved(Exception):
    """The link that a worker had read is not there any more."""


def lock(link: GroupLink) -> None:
    """Let nobody remove the link before the transaction ends. Raises ``LinkRemoved``.

    Members are locked before their link, and a link before its status, by workers as by those who remove it.
    """
    rows = GroupLink.objects.select_for_update(no_key=True).filter(pk=link.pk)
    if rows.values_list("pk").first() is None:
        raise LinkRemoved


def put(link: GroupLink, **values: Any) -> None:
    """Record ``values`` in the link's status, which is made if there is none. Raises ``LinkRemoved``."""
    with transaction.atomic():
        lock(link)
        if not LinkStatus.objects.filter(link=link).update(**values):
            LinkStatus.objects.create(subscription_id=link.subscription_id, link=link, **values)
