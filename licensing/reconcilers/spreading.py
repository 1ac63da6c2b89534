"""Spread what concerns all members of a group, a configuration or a link to those members, in sets.

A raised generation of one of these means that the workers must look at every account that belongs to it. Spreading
raises the generations of those accounts, a few thousand in a transaction so that nobody waits long for their rows,
and then records the generation as spread, unless it rose meanwhile. Beginning again after a crash harms nothing.
"""

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from licensing.models import LinkStatus
from licensing.services import bulk
from licensing.services.due import BEHIND, ended_links
from provisioning.models import GroupLink, ProvisioningConfiguration, UserGroup

CHUNK = 5000


def spread(subscription_id: int, now: datetime) -> None:
    """Make every account due that a changed group, configuration or link, or the time, concerns."""
    for group in UserGroup.objects.filter(BEHIND, subscription_id=subscription_id):
        _raise_accounts(_MEMBERS, group.pk)
        _observe(UserGroup.objects.all(), group)
    for configuration in ProvisioningConfiguration.objects.filter(BEHIND, subscription_id=subscription_id):
        _raise_accounts(_OF_CONFIGURATION, configuration.pk)
        _observe(ProvisioningConfiguration.objects.all(), configuration)
    for link in GroupLink.objects.filter(BEHIND, subscription_id=subscription_id):
        LinkStatus.objects.get_or_create(link=link, defaults={"subscription_id": subscription_id})
        _raise_accounts(_MEMBERS, link.group_id)
        _observe(GroupLink.objects.all(), link)
    for link in ended_links(now).filter(subscription_id=subscription_id):
        _raise_accounts(_MEMBERS, link.group_id)
        LinkStatus.objects.filter(link=link).update(source_ended_at=now)
    _raise_accounts(_TO_RELEASE, subscription_id, now)


def _observe(rows: QuerySet[Any], row: Any) -> None:
    rows.filter(pk=row.pk, generation=row.generation).update(observed_generation=row.generation)


def _raise_accounts(which: str, *parameters: Any) -> None:
    """Raise the generations of the accounts that ``which`` selects, chunk by chunk in the order of their ids."""
    last: int | None = 0
    while last is not None:
        with connection.cursor() as cursor:
            statement = _RAISE.format(which=which, lock=bulk.ordered_lock())
            cursor.execute(statement, [*parameters, last, CHUNK])
            raised = [row[0] for row in cursor.fetchall()]
        last = max(raised) if len(raised) == CHUNK else None


_MEMBERS = "SELECT account_id AS id FROM provisioning_groupmembership WHERE group_id = %s"
_OF_CONFIGURATION = "SELECT id FROM provisioning_loginaccount WHERE configuration_id = %s"
_TO_RELEASE = "SELECT account_id AS id FROM licensing_licensegrant WHERE subscription_id = %s AND release_due_at <= %s"
_RAISE = """
UPDATE provisioning_loginaccount SET generation = generation + 1 WHERE id IN (
    SELECT id FROM provisioning_loginaccount
    WHERE id IN (SELECT chosen.id FROM ({which}) AS chosen WHERE chosen.id > %s ORDER BY chosen.id LIMIT %s)
    ORDER BY id {lock}
) RETURNING id"""
