"""What admins decide about user groups: their license type."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from provisioning.actor import Actor
from provisioning.license_types import LicenseType
from provisioning.models import UserGroup
from provisioning.services import audit
from provisioning.services.notices import announce


@transaction.atomic
def set_group_license(*, group: UserGroup, license_type: LicenseType | None, actor: Actor, at: datetime) -> None:
    """Give the group's members a right to ``license_type`` (None: none); workers look at each member again."""
    old = group.license_type
    group.license_type = license_type
    UserGroup.objects.filter(pk=group.pk).update(license_type=license_type, generation=F("generation") + 1)
    audit.record(
        subscription_id=group.subscription_id,
        actor=actor,
        action="set license type of user group",
        target=group.display_name,
        at=at,
        changes={"license_type": [_slug(old), _slug(license_type)]},
    )
    announce(group.subscription_id)


def _slug(license_type: int | None) -> str | None:
    return None if license_type is None else LicenseType(license_type).slug
