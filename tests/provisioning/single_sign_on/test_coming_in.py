"""Who comes in by single sign-on, as whom, and who does not."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from provisioning.models import AuditEntry, LoginAccount, PortalSession, SignOnIdentity, User
from provisioning.services import accounts
from tests.factories import make_account, make_admin, make_call, make_person, make_profile
from tests.provisioning.single_sign_on.walks import ANN, begin, give, said, sign_on
from tests.single_sign_on import make_single_sign_on

Role = LoginAccount.Role
pytestmark = pytest.mark.django_db


def test_a_provisioned_person_with_a_role_comes_in_and_is_known_from_then_on(contoso, provider):
    client = Client(headers={"User-Agent": "Firefox"})

    answer = sign_on(client, contoso, provider)

    assert answer["Location"] == contoso.url()
    assert client.get(contoso.url()).status_code == 200
    identity = SignOnIdentity.objects.get()
    assert (identity.account, identity.subject) == (contoso.ann, "subject-of-ann")
    session = PortalSession.objects.get(user__isnull=False)
    assert (session.account, session.browser) == (contoso.ann, "Firefox")
    acts = AuditEntry.objects.order_by("-number")[:2]
    assert [(act.action, act.target, act.actor_role) for act in acts] == [
        ("sign in", User.objects.get(pk=session.user_id).username, "Access admin"),
        ("bind single sign-on", ANN, "Access admin"),
    ]
    assert acts[0].changes == {"how": [None, "single sign-on"]}


def test_the_request_carries_state_nonce_and_a_challenge_that_are_new_each_time(contoso, provider):
    client = Client()
    first, second = (parse_qs(urlsplit(begin(client, contoso)).query) for _ in range(2))

    assert first["response_type"] == ["code"]
    assert first["scope"] == ["openid profile"]
    assert first["code_challenge_method"] == ["S256"]
    assert first["redirect_uri"] == [f"http://127.0.0.1:8000/sign-in/{contoso.subscription.number}/callback/"]
    assert "prompt" not in first
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]


def test_the_page_that_was_asked_for_comes_next_if_it_is_of_this_host(contoso, provider):
    own, foreign = contoso.url("users/"), "//evil.example/"

    assert sign_on(Client(), contoso, provider, f"?next={own}")["Location"] == own
    assert sign_on(Client(), contoso, provider, f"?next={foreign}")["Location"] == contoso.url()


@pytest.mark.parametrize("role", [Role.SUBSCRIPTION_ADMIN, Role.BILLING_ADMIN])
def test_whom_the_provider_has_renamed_comes_in_as_an_admin_once_the_role_is_given_to_the_new_name(
    contoso, provider, sessions, role
):
    """Or whoever calls the SCIM service, an Access admin say, would choose who is a Subscription admin."""
    root = make_admin(contoso.subscription)
    bob = make_account(contoso.configuration, "bob@contoso.example")
    give(bob, role)
    renamed = make_profile("mallory@contoso.example")
    accounts.change_account(
        scim_id=bob.scim_id, change=lambda _: renamed, call=make_call(contoso.configuration, operation="update")
    )
    provider.claims |= {"sub": "mallory", "preferred_username": "mallory@contoso.example"}

    assert "has renamed “mallory@contoso.example” since" in said(sign_on(Client(), contoso, provider))
    page = contoso.url(f"users/{bob.pk}/")
    assert "so single sign-on does not let the user in" in sessions(root).get(page).content.decode()
    assert not SignOnIdentity.objects.exists()

    give(bob, Role.NO_ROLE)
    give(bob, role)
    assert "single sign-on does not let the user in" not in sessions(root).get(page).content.decode()
    assert sign_on(Client(), contoso, provider)["Location"] == contoso.url()


def test_an_access_admin_whom_the_provider_has_renamed_comes_in(contoso, provider):
    renamed = make_profile("ann.smith@contoso.example")
    accounts.change_account(
        scim_id=contoso.ann.scim_id, change=lambda _: renamed, call=make_call(contoso.configuration, operation="update")
    )
    provider.claims["preferred_username"] = "ann.smith@contoso.example"

    assert sign_on(Client(), contoso, provider)["Location"] == contoso.url()


def test_a_known_subject_is_its_account_whatever_the_username_says(contoso, provider):
    sign_on(Client(), contoso, provider)
    other = make_account(contoso.configuration, "other@contoso.example")
    give(other, Role.SUBSCRIPTION_ADMIN)
    provider.claims["preferred_username"] = other.username

    client = Client()
    assert sign_on(client, contoso, provider).status_code == 302

    assert SignOnIdentity.objects.get().account == contoso.ann
    assert client.get(contoso.url("settings/")).status_code == 404  # an Access admin still


def test_a_subject_that_is_not_known_never_gets_an_account_that_belongs_to_another(contoso, provider):
    sign_on(Client(), contoso, provider)
    provider.claims["sub"] = "the-next-ann"

    page = said(sign_on(Client(), contoso, provider))

    assert "belongs to another person at your organization" in page
    assert SignOnIdentity.objects.get().subject == "subject-of-ann"


def test_once_forgotten_the_next_who_comes_is_the_person(contoso, provider, sessions):
    first = Client()
    sign_on(first, contoso, provider)
    provider.claims["sub"] = "the-next-ann"
    admin = sessions(make_admin(contoso.subscription))

    page = contoso.url(f"settings/single-sign-on/people/{SignOnIdentity.objects.get().pk}/forget/")
    assert admin.post(page).status_code == 303

    assert first.get(contoso.url()).status_code == 302  # signed out
    assert sign_on(Client(), contoso, provider).status_code == 302
    assert SignOnIdentity.objects.get().subject == "the-next-ann"
    assert AuditEntry.objects.filter(action="forget single sign-on").get().changes == {
        "subject": ["subject-of-ann", None]
    }


@pytest.mark.parametrize(
    "claims",
    [
        {"preferred_username": "nobody@contoso.example"},
        {"preferred_username": None},
        {"preferred_username": None, "email": ANN, "email_verified": True},
        {"preferred_username": "x@contoso.example", "email": ANN},
        {"preferred_username": "bo@contoso.example"},  # disabled
        {"preferred_username": "archiver"},  # a machine
        {"upn": "nobody@contoso.example"},
        {"preferred_username": ["ann@contoso.example"]},
        {"preferred_username": "ann@contoso.example\0"},
        {"preferred_username": "ann@contoso.example\ud800"},
    ],
)
def test_who_is_nobody_here_does_not_come_in_and_no_account_is_made(contoso, provider, claims):
    give(contoso.bo, Role.SUBSCRIPTION_ADMIN)
    provider.tamper = claims
    before = (LoginAccount.objects.count(), User.objects.count())
    client = Client()

    assert "enabled user of that name has a role in the portal" in said(sign_on(client, contoso, provider))

    assert client.get(contoso.url()).status_code == 302
    assert (LoginAccount.objects.count(), User.objects.count()) == before
    assert not SignOnIdentity.objects.exists()


def test_the_username_is_the_upn_in_any_letter_case(contoso, provider):
    provider.tamper = {"upn": "ANN@Contoso.Example", "preferred_username": "somebody@partner.example"}

    assert sign_on(Client(), contoso, provider).status_code == 302


def test_a_user_without_a_role_does_not_come_in(contoso, provider):
    give(contoso.ann, Role.NO_ROLE)

    assert "has a role in the portal" in said(sign_on(Client(), contoso, provider))


def test_a_person_without_an_email_comes_in_all_the_same(contoso, provider):
    LoginAccount.objects.filter(pk=contoso.ann.pk).update(email="", user=None)

    assert sign_on(Client(), contoso, provider).status_code == 302

    user = LoginAccount.objects.get(pk=contoso.ann.pk).user
    assert user.email.endswith(".invalid")
    assert not user.has_usable_password()


def test_who_was_made_by_hand_comes_in_only_when_an_admin_has_said_so(contoso, provider):
    make_person(contoso.subscription, "root@contoso.example", role=Role.SUBSCRIPTION_ADMIN)
    provider.claims |= {"sub": "root", "preferred_username": "root@contoso.example"}

    assert "was made here, not by your organization" in said(sign_on(Client(), contoso, provider))

    make_single_sign_on(contoso.subscription, provider.issuer, admits_manual_accounts=True)
    assert sign_on(Client(), contoso, provider).status_code == 302
    make_single_sign_on(contoso.subscription, provider.issuer)
    assert not SignOnIdentity.objects.exists()
