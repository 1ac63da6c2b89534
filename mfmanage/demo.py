"""The story of the demo: a filled subscription, provisioned by the Entra simulator over real HTTP, in two cycles."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db.models import Count
from django.utils import timezone

from licensing.services import pools
from licensing.services.differences import differences
from mfmanage.entra.client import Connection
from mfmanage.entra.directory import Directory
from mfmanage.entra.results import Action, CycleSummary, ObjectResult, Status, Summary
from mfmanage.entra.run import run
from mfmanage.entra.service import USERS
from mfmanage.entra.state import State
from provisioning.actor import operator
from provisioning.license_types import LicenseType
from provisioning.models import GroupLink, LoginAccount, ProvisioningConfiguration, Subscription, UserGroup, Vault
from provisioning.services import configurations, group_settings, links, subscriptions, vaults

ADMIN: Final = "admin@contoso.example"
VAULTS: Final = ("Contracts", "Projects", "Quality")
PURCHASED: Final = {LicenseType.NAMED: 20, LicenseType.CONCURRENT: 10, LicenseType.READ_ONLY: 25}
ACTOR: Final = operator("demo")
SETTLED_SECONDS: Final = 60.0


class NotSettled(Exception):
    """The workers did not finish in time."""


@dataclass(frozen=True, slots=True)
class Contoso:
    """The sample subscription, and what is shown once: the admin's password and the client secret."""

    subscription: Subscription
    password: str
    credentials: configurations.Credentials


def furnish(agent_url: str) -> Contoso:
    """Make the subscription with its pools, admin, vaults and configuration."""
    now = timezone.now()
    subscription = subscriptions.create_subscription(
        name="Contoso", edition=Subscription.Edition.CLOUD, actor=ACTOR, at=now
    )
    pools.set_purchased(subscription=subscription, purchases=PURCHASED, actor=ACTOR, at=now)
    admin = subscriptions.add_admin(
        subscription=subscription,
        email=ADMIN,
        password=None,
        role=LoginAccount.Role.SUBSCRIPTION_ADMIN,
        actor=ACTOR,
        at=now,
    )
    for name in VAULTS:
        vaults.create_vault(
            subscription=subscription,
            name=name,
            agent_url=agent_url,
            user_synchronization=False,
            actor=ACTOR,
            at=now,
        )
    credentials = configurations.create_configuration(
        subscription=subscription,
        name="Contoso Entra ID",
        kind=ProvisioningConfiguration.Kind.GALLERY,
        default_license_type=LicenseType.READ_ONLY,
        actor=ACTOR,
        at=now,
    )
    return Contoso(subscription, str(admin.password), credentials)


def provision(
    contoso: Contoso, directory: Directory, *, report: Callable[[ObjectResult], None], check: Callable[[], None]
) -> tuple[Summary, "Counter[Action]"]:
    """Run two cycles over HTTP; after the first, the largest group gets Named and the next is linked to a vault.

    Between cycles the workers have time to finish, as they have with Entra, whose cycles are 40 minutes apart.
    Returns the simulator's summary, and how many *users* had what done to them. Raises ``ConnectionFailed``.
    """
    users: Counter[Action] = Counter()

    def count(result: ObjectResult) -> None:
        if result.kind == USERS.name and result.status is not Status.FAILURE:
            users[result.action] += 1
        report(result)

    def decide(_: CycleSummary) -> None:
        settle(contoso, check)
        decide_about_groups(configuration)
        settle(contoso, check)

    configuration = contoso.credentials.configuration
    connection = Connection(
        tenant_url=configuration.tenant_url,
        token_endpoint=configuration.token_endpoint,
        client_id=configuration.client_id,
        client_secret=contoso.credentials.client_secret,
    )
    summary = run(
        connection,
        directory,
        state=State(),
        cycles=2,
        report=count,
        between_cycles=decide,
    )
    settle(contoso, check)
    return summary, users


def decide_about_groups(configuration: ProvisioningConfiguration) -> None:
    """Do what an admin does once the groups are there."""
    now = timezone.now()
    groups = UserGroup.objects.filter(configuration=configuration, deleted_at__isnull=True)
    largest = groups.annotate(size=Count("memberships")).order_by("-size", "pk")
    if not largest:
        return
    group_settings.set_group_license(group=largest[0], license_type=LicenseType.NAMED, actor=ACTOR, at=now)
    source = largest[min(1, len(largest) - 1)]
    links.link_group(
        group=source,
        vault=Vault.objects.filter(subscription=configuration.subscription).order_by("name")[1],
        target_name=source.display_name,
        create_target=True,
        mode=GroupLink.Mode.REPLACE,
        actor=ACTOR,
        at=now,
    )


def settle(contoso: Contoso, check: Callable[[], None]) -> None:
    """Wait until the workers have nothing left to do. ``check`` raises when one of them has died.

    Raises ``NotSettled`` when that takes longer than a minute.
    """
    deadline = time.monotonic() + SETTLED_SECONDS
    while differences(subscription=contoso.subscription, now=timezone.now()):
        check()
        if time.monotonic() > deadline:
            raise NotSettled(f"The workers did not finish within {SETTLED_SECONDS:.0f} seconds.")
        time.sleep(0.1)
