"""A subscription whose people sign in at a provider that answers by HTTP, and what they do there."""

import pytest
from django.test import Client

from provisioning.models import LoginAccount
from provisioning.services import issuers
from provisioning.services.openid_provider import providers
from tests.contoso import make_contoso
from tests.factories import PASSWORD
from tests.provisioning.single_sign_on.walks import give
from tests.single_sign_on import make_single_sign_on, serving


@pytest.fixture(scope="module")
def server():
    with serving() as provider:
        yield provider


@pytest.fixture
def provider(server, settings):
    """The provider as it is at first, of which nothing is known yet."""
    settings.ISSUER_HOSTS = ["*"]
    issuers.keys.cache_clear()
    providers.forget(server.issuer)
    base = server.base
    server.__init__()
    server.base = base
    return server


@pytest.fixture
def contoso(provider):
    """A subscription that signs in at the provider, where Ann, who was provisioned, is an Access admin."""
    contoso = make_contoso()
    make_single_sign_on(contoso.subscription, provider.issuer)
    give(contoso.ann, LoginAccount.Role.ACCESS_ADMIN)
    return contoso


@pytest.fixture
def sessions():
    """Return a browser in which the person of a login account has signed in with the password."""

    def go(account):
        client = Client()
        assert client.post("/account/login/", {"login": account.email, "password": PASSWORD}).status_code == 302
        return client

    return go
