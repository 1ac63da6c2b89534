"""Plain functions that make a directory through the product's own services; what is not said gets a sensible value."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from provisioning.actor import Actor, operator
from provisioning.license_types import LicenseType
from provisioning.models import (
    DueAccount,
    GroupLink,
    LoginAccount,
    ProvisioningConfiguration,
    ResourceTotal,
    Subscription,
    UserGroup,
    Vault,
)
from provisioning.services import (
    accounts,
    applications,
    configurations,
    group_settings,
    groups,
    links,
    people,
    subscriptions,
    vaults,
)
from provisioning.services.calls import Call

NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)
ACTOR = operator("tests")
PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


def make_subscription(
    name: str = "", *, edition: str = Subscription.Edition.CLOUD, at: datetime = NOON
) -> Subscription:
    return subscriptions.create_subscription(
        name=name or f"Contoso {next(_numbers)}", edition=edition, actor=ACTOR, at=at
    )


def make_admin(
    subscription: Subscription,
    email: str = "",
    *,
    role: LoginAccount.Role = LoginAccount.Role.SUBSCRIPTION_ADMIN,
    password: str = PASSWORD,
    at: datetime = NOON,
) -> LoginAccount:
    """Return a manual account with a role; ``account.user`` signs in with ``PASSWORD``."""
    admin = subscriptions.add_admin(
        subscription=subscription,
        email=email or f"admin{next(_numbers)}@contoso.example",
        password=password,
        role=role,
        actor=ACTOR,
        at=at,
    )
    return admin.account


def make_vault(
    subscription: Subscription,
    name: str = "",
    *,
    agent_url: str = "",
    user_synchronization: bool = False,
    at: datetime = NOON,
) -> Vault:
    return vaults.create_vault(
        subscription=subscription,
        name=name or f"Vault {next(_numbers)}",
        agent_url=agent_url,
        user_synchronization=user_synchronization,
        actor=ACTOR,
        at=at,
    )


def make_credentials(
    subscription: Subscription | None = None,
    name: str = "",
    *,
    default_license_type: LicenseType = LicenseType.READ_ONLY,
    kind: ProvisioningConfiguration.Kind = ProvisioningConfiguration.Kind.GALLERY,
    at: datetime = NOON,
) -> configurations.Credentials:
    """Return a new configuration together with its client secret in clear."""
    return configurations.create_configuration(
        subscription=subscription or make_subscription(),
        name=name or f"Entra {next(_numbers)}",
        kind=kind,
        default_license_type=default_license_type,
        actor=ACTOR,
        at=at,
    )


def make_configuration(
    subscription: Subscription | None = None,
    name: str = "",
    *,
    default_license_type: LicenseType = LicenseType.READ_ONLY,
    kind: ProvisioningConfiguration.Kind = ProvisioningConfiguration.Kind.GALLERY,
    at: datetime = NOON,
) -> ProvisioningConfiguration:
    return make_credentials(
        subscription, name, default_license_type=default_license_type, kind=kind, at=at
    ).configuration


def make_account(
    configuration: ProvisioningConfiguration,
    username: str = "",
    *,
    full_name: str = "",
    email: str = "",
    info1: str = "",
    info2: str = "",
    external_id: str | None = None,
    is_enabled: bool = True,
    at: datetime = NOON,
) -> LoginAccount:
    """Return an account as a SCIM create makes it, its row in the provisioning log included."""
    username = username or f"user{next(_numbers)}@contoso.example"
    profile = make_profile(
        username,
        full_name=full_name,
        email=email,
        info1=info1,
        info2=info2,
        external_id=external_id,
        is_enabled=is_enabled,
    )
    return accounts.create_account(profile=profile, call=make_call(configuration, at=at))


def make_person(
    subscription: Subscription,
    username: str = "",
    *,
    full_name: str = "",
    email: str = "",
    role: LoginAccount.Role = LoginAccount.Role.NO_ROLE,
    info1: str = "",
    info2: str = "",
    actor: Actor = ACTOR,
    at: datetime = NOON,
) -> LoginAccount:
    """Return a manual account as an admin makes it in the portal."""
    username = username or f"person{next(_numbers)}@contoso.example"
    return people.create_person(
        subscription=subscription,
        username=username,
        full_name=full_name or username.partition("@")[0].title(),
        email=email or (username if "@" in username else ""),
        role=role,
        info1=info1,
        info2=info2,
        actor=actor,
        at=at,
    )


def make_application(
    subscription: Subscription, client_id: str = "", *, name: str = "", at: datetime = NOON
) -> LoginAccount:
    """Return an application account as an admin makes it in the portal."""
    client_id = client_id or f"application-{next(_numbers)}"
    return applications.create_application(
        subscription=subscription, name=name or client_id.title(), client_id=client_id, actor=ACTOR, at=at
    )


def make_profile(
    username: str,
    *,
    full_name: str = "",
    email: str = "",
    info1: str = "",
    info2: str = "",
    external_id: str | None = None,
    is_enabled: bool = True,
) -> accounts.AccountProfile:
    """Return an account as an identity provider describes it, with the SCIM document to match."""
    full_name, email = full_name or username.partition("@")[0].title(), email or username
    document: dict[str, Any] = {
        "userName": username,
        "displayName": full_name,
        "active": is_enabled,
        "emails": [{"type": "work", "value": email, "primary": True}],
    }
    if external_id is not None:
        document["externalId"] = external_id
    return accounts.AccountProfile(
        username=username,
        external_id=external_id,
        full_name=full_name,
        email=email,
        email_key=email.casefold(),
        display_name=full_name,
        info1=info1,
        info2=info2,
        is_enabled=is_enabled,
        document=document,
        search={**document, "userName": username.casefold(), "displayName": full_name.casefold()},
    )


def make_group(
    configuration: ProvisioningConfiguration,
    name: str = "",
    *,
    members: Iterable[LoginAccount] = (),
    license_type: LicenseType | None = None,
    external_id: str | None = None,
    at: datetime = NOON,
) -> UserGroup:
    name = name or f"Group {next(_numbers)}"
    document = {"displayName": name} | ({"externalId": external_id} if external_id else {})
    group = groups.create_group(
        profile=groups.GroupProfile(
            display_name=name,
            external_id=external_id,
            document=document,
            search={**document, "displayName": name.casefold()},
        ),
        members=[str(member.scim_id) for member in members],
        call=make_call(configuration, resource_type="Group", at=at),
    )
    if license_type is not None:
        group_settings.set_group_license(group=group, license_type=license_type, actor=ACTOR, at=at)
    return group


def due_ids() -> set[int]:
    """Return the accounts that licenses and vaults must look at."""
    return set(DueAccount.objects.values_list("account_id", flat=True))


def forget_due() -> None:
    """Take all accounts as looked at."""
    DueAccount.objects.all().delete()


def recount(configuration: ProvisioningConfiguration) -> None:
    """Set the totals right after rows were written in bulk, past the services that keep them."""
    users = LoginAccount.objects.filter(configuration=configuration, scim_id__isnull=False)
    groups = UserGroup.objects.filter(configuration=configuration, deleted_at__isnull=True)
    ResourceTotal.objects.filter(configuration=configuration).delete()
    for kind, number in (("User", users.count()), ("Group", groups.count())):
        ResourceTotal.objects.create(configuration=configuration, kind=kind, shard=0, number=number)


def make_link(
    group: UserGroup,
    vault: Vault,
    target_name: str = "",
    *,
    mode: GroupLink.Mode = GroupLink.Mode.REPLACE,
    at: datetime = NOON,
) -> GroupLink:
    """Return a link to a new user group of the vault."""
    return links.link_group(
        group=group,
        vault=vault,
        target_name=target_name or group.display_name,
        create_target=True,
        mode=mode,
        actor=ACTOR,
        at=at,
    )


def make_call(
    configuration: ProvisioningConfiguration,
    *,
    operation: str = "create",
    resource_type: str = "User",
    request_id: str = "test-request",
    at: datetime = NOON,
) -> Call:
    return Call(
        configuration=configuration, operation=operation, resource_type=resource_type, request_id=request_id, at=at
    )
