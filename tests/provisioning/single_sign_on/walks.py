"""What a browser does to sign in at a provider."""

from provisioning.services import people
from tests.factories import ACTOR, NOON

ANN = "ann@contoso.example"


def give(account, role):
    people.set_role(account=account, role=role, actor=ACTOR, at=NOON)


def begin(client, contoso, query=""):
    """Return where the browser is sent, at the provider."""
    answer = client.get(f"/sign-in/{contoso.subscription.number}/{query}")
    assert answer.status_code == 302
    return answer["Location"]


def sign_on(client, contoso, provider, query=""):
    """Return the portal's answer to who comes back from the provider."""
    return client.get(provider.authorize(begin(client, contoso, query)))


def said(answer):
    assert answer.status_code == 422
    return " ".join(answer.content.decode().split())
