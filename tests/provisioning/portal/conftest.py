"""A subscription with some of everything, and people of every role who have signed in."""

import pytest
from django.test import Client

from provisioning.models import LoginAccount
from tests.contoso import Contoso, make_contoso
from tests.factories import PASSWORD, make_admin


@pytest.fixture
def contoso(db) -> Contoso:
    return make_contoso()


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
