"""Spread what concerns all members of a group, a configuration or a link to those members, in sets.

A raised generation of one of these means that the workers must look at every account that belongs to it. Spreading
makes those accounts due, a few thousand in a transaction so that nobody waits long for their rows, and then records the
generation as spread, unless it rose meanwhile. Beginning again after a crash harms nothing.
"""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from licensing.models import LinkStatus
from licensing.services import link_statuses
from licensing.services.due import BEHIND, bereft_links, ended_links
from licensing.services.link_statuses import LinkRemoved
from provisioning.models import GroupLink, ProvisioningConfiguration, UserGroup
from provisioning.services import wakes
from provisioning.sql import Statement, parameter, run

CHUNK = 5000


def spread(subscription_id: int, now: datetime) -> None:
    """Make every account due that a changed group, configuration or link, or the time, concerns."""
    for group in UserGroup.objects.filter(BEHIND, subscription_id=subscription_id):
        _wake(subscription_id, _MEMBERS, group.pk)
        _observe(UserGroup.objects.all(), group)
    for configuration in ProvisioningConfiguration.objects.filter(BEHIND, subscription_id=subscription_id):
        _wake(subscription_id, _OF_CONFIGURATION, configuration.pk)
        _observe(ProvisioningConfiguration.objects.all(), configuration)
    ended = bereft_links(now).filter(subscription_id=subscription_id)
    ended.update(former_group=None, generation=F("generation") + 1)
    for link in GroupLink.objects.filter(BEHIND, subscription_id=subscription_id):
        with suppress(LinkRemoved):
            _spread_link(link)
    for link in ended_links(now).filter(subscription_id=subscription_id):
        _wake(subscription_id, _MEMBERS, link.group_id)
        LinkStatus.objects.filter(link=link).update(source_ended_at=now)
    _wake(subscription_id, _TO_RELEASE, subscription_id, now)


def _spread_link(link: GroupLink) -> None:
    """Make the members of its source due, and whom it wants that is no member of it any more."""
    link_statuses.put(link, source_ended_at=None)
    _wake(link.subscription_id, _MEMBERS, link.group_id)
    _wake(link.subscription_id, _LEFT_OVER, link.target_id, link.group_id)
    _observe(GroupLink.objects.all(), link)


def _observe(rows: QuerySet[Any], row: Any) -> None:
    rows.filter(pk=row.pk, generation=row.generation).update(observed_generation=row.generation)


def _wake(subscription_id: int, which: str, *parameters: Any) -> None:
    """Make the accounts due that ``which`` selects, chunk by chunk in the order of their ids."""
    chosen = Statement(which, [parameter(one) for one in parameters])
    last: int | None = 0
    while last is not None:
        woken = [row[0] for row in run(wakes.chunk(subscription_id, chosen, after=last, size=CHUNK))]
        last = max(woken) if len(woken) == CHUNK else None


_MEMBERS = "SELECT account_id AS id FROM provisioning_groupmembership WHERE group_id = %s"
_LEFT_OVER = """
SELECT u.account_id AS id FROM licensing_vaultusermembership m JOIN licensing_vaultuser u ON u.id = m.vault_user_id
WHERE m.target_id = %s AND m.wanted AND u.account_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM provisioning_groupmembership g WHERE g.group_id = %s AND g.account_id = u.account_id
)"""
_OF_CONFIGURATION = "SELECT id FROM provisioning_loginaccount WHERE configuration_id = %s"
_TO_RELEASE = "SELECT account_id AS id FROM licensing_licensegrant WHERE subscription_id = %s AND release_due_at <= %s"
