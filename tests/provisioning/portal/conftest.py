"""A subscription with some of everything, and people of every role who have signed in."""

from dataclasses import dataclass

import pytest
from django.core.cache import cache
from django.test import Client

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
    PASSWORD,
    make_account,
    make_admin,
    make_configuration,
    make_group,
    make_link,
    make_subscription,
    make_vault,
)

Role = LoginAccount.Role


@dataclass(frozen=True)
class Contoso:
    """What the tests look at; ``url`` makes an address in the subscription."""

    subscription: Subscription
    configuration: ProvisioningConfiguration
    ann: LoginAccount
    bo: LoginAccount
    legal: UserGroup
    contracts: Vault
    link: GroupLink

    def url(self, path: str = "") -> str:
        return f"/s/{self.subscription.number}/{path}"

    def pages(self) -> list[str]:
        """Return the address of every page that a Subscription admin can open."""
        call = ProvisioningLogEntry.objects.filter(subscription=self.subscription).latest("id")
        return [
            *(self.url(path) for path in ("", "users/", f"users/{self.ann.pk}/", "vaults/", "audit/")),
            *(self.url(f"provisioning/{path}") for path in self.provisioning_pages(call.pk)),
        ]

    def provisioning_pages(self, call: int) -> list[str]:
        return [
            "configurations/",
            "configurations/create/",
            f"configurations/{self.configuration.pk}/",
            "groups/",
            f"groups/{self.legal.pk}/",
            f"groups/{self.legal.pk}/license/?license_type=3",
            "links/",
            "links/create/",
            "log/",
            f"log/{call}/",
        ]


@pytest.fixture(autouse=True)
def _no_attempts_yet():
    """Attempts to sign in are counted per address, and every test comes from the same one."""
    cache.clear()


@pytest.fixture
def contoso(db) -> Contoso:
    configuration = make_configuration(make_subscription("Contoso"), "Contoso Entra ID")
    subscription = configuration.subscription
    ann = make_account(
        configuration,
        "ann@contoso.example",
        full_name="Ann Ångström",
        info1="Cost center 1001",
        info2="Building <B>",
    )
    bo = make_account(configuration, "bo@contoso.example", full_name="Bo Öberg", is_enabled=False)
    legal = make_group(configuration, "Legal", members=[ann, bo], license_type=LicenseType.NAMED)
    contracts = make_vault(subscription, "Contracts")
    return Contoso(subscription, configuration, ann, bo, legal, contracts, make_link(legal, contracts, "Lawyers"))


@pytest.fixture
def sign_in():
    """Return a browser in which the person of a login account has signed in with the password."""

    def go(account: LoginAccount) -> Client:
        client = Client()
        answer = client.post("/account/login/", {"login": account.email, "password": PASSWORD})
        assert answer.status_code == 302
        return client

    return go


@pytest.fixture
def admin(contoso, sign_in) -> Client:
    client: Client = sign_in(make_admin(contoso.subscription, "root@contoso.example"))
    return client
