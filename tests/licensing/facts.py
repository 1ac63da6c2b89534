"""What decides about licenses, read account by account for the plan, which tests hold against the database's wishes."""

from licensing.models import LicenseGrant
from licensing.plans.licenses import AccountFacts, GroupClaim
from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount


def facts_of(account: LoginAccount) -> AccountFacts:
    grant = LicenseGrant.objects.filter(account=account).first()
    known = grant or LicenseGrant()
    groups = account.groups.filter(deleted_at__isnull=True)
    configuration = account.configuration
    default = _type(configuration.default_license_type) if configuration else None
    is_manual = configuration is None or configuration.deleted_at is not None
    return AccountFacts(
        account_id=account.pk,
        username_key=account.username_key,
        is_enabled=account.is_enabled,
        is_new=grant is None,
        first_asked_at=account.created_at,
        disabled_at=account.disabled_at,
        default=None if is_manual else default,
        groups=tuple(
            GroupClaim(LicenseType(one.license_type or LicenseType.NONE), one.display_name, one.pk) for one in groups
        ),
        pinned=_type(known.pinned_type),
        manual=_type(known.manual_type) if configuration is None else default,
        wanted=LicenseType(known.wanted_type),
        asked_at=known.asked_at,
        granted=LicenseType(known.granted_type),
        granted_at=known.granted_at,
        passed_over_at=known.passed_over_at,
    )


def _type(number: int | None) -> LicenseType | None:
    return None if number is None else LicenseType(number)
