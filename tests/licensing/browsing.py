"""Browsers in which somebody has signed in, and what they show."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from provisioning.models import LoginAccount
from tests.factories import make_admin

Role = LoginAccount.Role
ANN, BOB = "ann@contoso.example", "bob@contoso.example"


def signed_in(subscription, role=Role.SUBSCRIPTION_ADMIN):
    client = Client()
    client.force_login(make_admin(subscription, role=role).user)
    return client


def text(answer, status=200):
    """The page, which must have come with that status."""
    assert answer.status_code == status
    return answer.content.decode()


def cost(client, url):
    """How many statements the page takes when it is opened again."""
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)
