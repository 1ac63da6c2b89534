"""What an identity provider did wrong before it was let in: an admin sees it on the configuration's page."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Q

from provisioning.models import ClientSecret, ProvisioningConfiguration
from provisioning.services import peppers

_INTERVAL: Final = timedelta(seconds=15)
"""The same refusal is written this often at most: who has no secret must not make the database write."""
NOBODY: Final = 0
"""The id of no configuration, for those who are refused and unknown: they cost as many statements as others."""
_Refusal = ProvisioningConfiguration.Refusal


def record_refusal(*, configuration_id: int, refusal: ProvisioningConfiguration.Refusal, at: datetime) -> None:
    """Remember on the configuration why somebody was turned away, and when."""
    rows = ProvisioningConfiguration.objects.filter(pk=configuration_id)
    old = Q(refused_at__lt=at - _INTERVAL) | Q(refused_at__lte=F("last_contact_at"))
    due = Q(refused_at=None) | old | ~Q(refusal=refusal)
    rows.filter(due).update(refused_at=at, refusal=refusal)


def record_refused_secret(*, client_id: str, secret: str, at: datetime) -> None:
    """Remember why this secret opens nothing: it is wrong, or was once right.

    An unknown client is ``NOBODY``'s, and so is a secret that is right: something else ended while it was looked at.
    """
    known = ClientSecret.objects.filter(configuration__application__client_id=client_id).order_by("id")
    offered, configuration_id, shown = peppers.digests(secret), NOBODY, None
    for pk, owner, digest, version in known.values_list("pk", "configuration_id", "digest", "pepper_version"):
        configuration_id = owner
        if peppers.is_same(digest, version, offered):
            shown = pk
    refusal = _Refusal.WRONG_SECRET
    if shown is not None:
        found = known.get(pk=shown)
        refusal = _Refusal.REVOKED_SECRET if found.revoked_at or found.retires_at else _Refusal.EXPIRED_SECRET
        configuration_id = NOBODY if found.is_live(at) else configuration_id
    record_refusal(configuration_id=configuration_id, refusal=refusal, at=at)
