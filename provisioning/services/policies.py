"""What holds for a whole subscription: contact, release and fill of licenses, protection, vaults."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypedDict, Unpack
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from provisioning.actor import Actor
from provisioning.models import Subscription
from provisioning.services import audit
from provisioning.services.notices import announce
from provisioning.signals import policies_changed

MOST_DAYS: Final = 3650
"""The longest time after which the license of a disabled account is released: ten years."""
MOST_LEAST: Final = 1_000_000
"""The largest number of accounts that may always be disabled within an hour."""
LONGEST_NAME: Final = 200
LONGEST_ADDRESS: Final = 254


class Policies(TypedDict, total=False):
    """Fields of ``Subscription`` that its admins may change; what is not named stays as it is."""

    contact_name: str
    contact_email: str
    time_zone: str
    release_policy: str
    release_after_days: int
    fill_policy: str
    protection_least: int
    protection_percent: int
    overrides_vault_disabling: bool


class BadPolicy(ValueError):
    """A value that ``field`` cannot have."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)


@transaction.atomic
def set_policies(*, subscription: Subscription, actor: Actor, at: datetime, **policies: Unpack[Policies]) -> set[str]:
    """Change the policies that are named, and return the fields whose value is another now; none is no deed.

    Licensing looks again at what a changed policy concerns. Raises ``BadPolicy``.
    """
    check_policies(policies)
    # Without the key: whoever writes a row of this subscription meanwhile does not wait.
    row = Subscription.objects.select_for_update(no_key=True).get(pk=subscription.pk)
    changes = _changes(row, policies)
    if changes:
        Subscription.objects.filter(pk=row.pk).update(**{field: new for field, (_, new) in changes.items()})
        policies_changed.send(sender=None, subscription_id=row.pk, fields=frozenset(changes), at=at)
        audit.record(
            subscription_id=row.pk, actor=actor, action="change settings", target=row.name, at=at, changes=changes
        )
        announce(row.pk)
    return set(changes)


def check_policies(policies: Policies) -> None:
    """Raise ``BadPolicy`` for the first value that makes no sense."""
    for field, value in policies.items():
        allowed, sentence = _RULES[field]
        if not allowed(value):
            raise BadPolicy(field, sentence.format(value))


def _changes(row: Subscription, policies: Policies) -> dict[str, list[Any]]:
    return {field: [old, new] for field, new in policies.items() if (old := getattr(row, field)) != new}


def _is_address(value: Any) -> bool:
    try:
        validate_email(value)
    except ValidationError:
        return False
    return len(value) <= LONGEST_ADDRESS


_RULES: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "contact_name": (
        lambda name: len(name) <= LONGEST_NAME,
        f"The name is longer than {LONGEST_NAME} characters. Shorten it.",
    ),
    "contact_email": (
        lambda address: not address or _is_address(address),
        "“{}” is not an e-mail address. Write it like it@contoso.com, or leave it empty.",
    ),
    "time_zone": (
        lambda zone: zone in available_timezones(),
        "“{}” is not a time zone. Choose one such as Europe/Helsinki.",
    ),
    "release_policy": (
        lambda policy: policy in Subscription.ReleasePolicy,
        "“{}” is not a release policy. Choose keep, at_once or after_days.",
    ),
    "release_after_days": (
        lambda days: 0 <= days <= MOST_DAYS,
        f"{{}} is not between 0 and {MOST_DAYS} days.",
    ),
    "fill_policy": (
        lambda policy: policy in Subscription.FillPolicy,
        "“{}” is not a fill policy. Choose always or on_purchase.",
    ),
    "protection_least": (
        lambda number: 0 <= number <= MOST_LEAST,
        f"{{}} is not between 0 and {MOST_LEAST:,} users.",
    ),
    "protection_percent": (
        lambda percent: 0 <= percent <= 100,  # noqa: PLR2004
        "{} is not between 0 and 100 percent.",
    ),
    "overrides_vault_disabling": (
        lambda value: isinstance(value, bool),
        "“{}” is neither yes nor no.",
    ),
}
