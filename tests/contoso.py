"""A subscription with some of everything, for the tests of the portal's pages."""

from dataclasses import dataclass

from provisioning.license_types import LicenseType
from provisioning.models import (
    GroupLink,
    LoginAccount,
    ProvisioningConfiguration,
    ProvisioningLogEntry,
    Subscription,
    UserGroup,
    Vault,
)
from tests.factories import (
    make_account,
    make_application,
    make_configuration,
    make_group,
    make_link,
    make_subscription,
    make_vault,
)


@dataclass(frozen=True)
class Contoso:
    """What the tests look at; ``url`` makes an address in the subscription."""

    subscription: Subscription
    configuration: ProvisioningConfiguration
    ann: LoginAccount
    bo: LoginAccount
    archiver: LoginAccount
    legal: UserGroup
    contracts: Vault
    link: GroupLink

    def url(self, path: str = "") -> str:
        return f"/s/{self.subscription.number}/{path}"

    def pages(self) -> list[str]:
        """Return the address of every page that a Subscription admin can open."""
        call = ProvisioningLogEntry.objects.filter(subscription=self.subscription).latest("id")
        return [
            *(self.url(path) for path in ("", "users/", f"users/{self.ann.pk}/", "vaults/", "licenses/", "audit/")),
            *(
                self.url(f"vaults/{self.contracts.pk}/{path}")
                for path in ("", "users/", "groups/", "drift/", "remove/")
            ),
            self.url("vaults/create/"),
            self.url(f"vaults/{self.contracts.pk}/groups/{self.link.target_id}/"),
            *(
                self.url(path)
                for path in (
                    "settings/",
                    "settings/notifications/",
                    "settings/single-sign-on/",
                    "trusted/",
                    "trusted/add/",
                )
            ),
            *(self.url(f"applications/{path}") for path in self.application_pages()),
            self.url(f"vaults/{self.contracts.pk}/accounts/{self.ann.pk}/"),
            *(self.url(f"provisioning/{path}") for path in self.provisioning_pages(call.pk)),
        ]

    def application_pages(self) -> list[str]:
        return ["", "create/", *(f"{self.archiver.pk}/{page}" for page in ("", "edit/", "delete/"))]

    def provisioning_pages(self, call: int) -> list[str]:
        return [
            "configurations/",
            "configurations/create/",
            f"configurations/{self.configuration.pk}/",
            f"configurations/{self.configuration.pk}/settings/",
            f"configurations/{self.configuration.pk}/license/?license_type=3",
            f"configurations/{self.configuration.pk}/delete/",
            "groups/",
            f"groups/{self.legal.pk}/",
            f"groups/{self.legal.pk}/license/?license_type=3",
            "links/",
            "links/create/",
            f"links/create/preview/?group={self.legal.pk}&kind=new&vault={self.contracts.pk}&new_target=Team&mode=replace",
            f"links/{self.link.pk}/",
            f"links/{self.link.pk}/mode/?mode=merge",
            f"links/{self.link.pk}/move/",
            f"links/{self.link.pk}/remove/",
            "log/",
            "held/",
            f"log/{call}/",
        ]


def make_contoso(name: str = "Contoso") -> Contoso:
    """Return a subscription with two users, a machine, a group that gives Named, a vault, and a link between them."""
    configuration = make_configuration(make_subscription(name), f"{name} Entra ID")
    subscription = configuration.subscription
    ann = make_account(
        configuration,
        "ann@contoso.example",
        full_name="Ann Ångström",
        info1="Cost center 1001",
        info2="Building <B>",
    )
    bo = make_account(configuration, "bo@contoso.example", full_name="Bo Öberg", is_enabled=False)
    archiver = make_application(subscription, "archiver", name="Archiver")
    legal = make_group(configuration, "Legal", members=[ann, bo], license_type=LicenseType.NAMED)
    contracts = make_vault(subscription, "Contracts")
    return Contoso(
        subscription, configuration, ann, bo, archiver, legal, contracts, make_link(legal, contracts, "Lawyers")
    )
