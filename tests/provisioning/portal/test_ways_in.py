"""Bearer tokens and issuers on a configuration's pages: each says what it does and asks for a recent sign-in."""

import re
import time
from datetime import timedelta

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.utils import timezone

from provisioning.models import AuditEntry, BearerToken, ProvisioningConfiguration
from provisioning.services import bearer_tokens, trusted_issuers
from provisioning.services.secrets import make_secret
from tests.factories import ACTOR, make_configuration
from tests.provisioning.issuing import TENANT
from tests.provisioning.portal.test_kinds import make_classic

TOKEN = re.compile(r"mfmt_[\w-]{49}")
TRUST = {"issuer": "https://issuer.example/realm", "subject": "sync", "audience": "api://mfmanage"}


@pytest.fixture(autouse=True)
def _any_issuer(settings):
    settings.ISSUER_HOSTS = ["issuer.example", "login.microsoftonline.com"]


@pytest.fixture
def okta(contoso):
    return make_configuration(contoso.subscription, "Okta", kind=ProvisioningConfiguration.Kind.OTHER)


@pytest.fixture
def own(contoso, okta):
    return contoso.url(f"provisioning/configurations/{okta.pk}/")


def make_token(configuration) -> BearerToken:
    bearer_tokens.create_token(configuration=configuration, actor=ACTOR, at=timezone.now())
    found: BearerToken = configuration.bearer_tokens.latest("pk")
    return found


def fill(client, page, days="90"):
    form_id = re.search(r'name="form_id" value="([^"]+)"', client.get(page).content.decode())[1]
    return {"lifetime": days, "form_id": form_id}


def test_a_bearer_token_is_shown_once_with_the_tenant_url(okta, own, admin):
    answer = admin.post(f"{own}bearer/", fill(admin, f"{own}bearer/"))

    shown = answer.content.decode()
    token = TOKEN.search(shown)[0]
    assert okta.tenant_url in shown
    assert "no-store" in answer["Cache-Control"]
    later = admin.get(own).content.decode()
    assert token not in later
    assert f"<code>{token[-4:]}</code>" in later
    made = okta.bearer_tokens.get()
    assert (made.expires_at - made.created_at).days == 90


def test_a_bearer_token_is_downloaded_as_text(okta, own, admin):
    shown = admin.post(f"{own}bearer/", fill(admin, f"{own}bearer/")).content.decode()
    token = TOKEN.search(shown)[0]
    assert f'action="{own}bearer/download/"' in shown
    assert token not in "".join(re.findall(r'(?:href|action|src)="([^"]*)"', shown)), "never in an address"

    file = admin.post(f"{own}bearer/download/", {"bearer_token": token})

    text = file.content.decode()
    assert f"Tenant URL: {okta.tenant_url}\nBearer token: {token}\n" in text
    assert f"…{token[-4:]} expires on " in text
    assert file["Content-Disposition"] == 'attachment; filename="okta.txt"'
    assert file["Content-Type"] == "text/plain; charset=utf-8"
    assert "no-store" in file["Cache-Control"]


def test_what_is_no_live_token_of_the_configuration_is_not_sent_back(contoso, okta, own, admin):
    other = make_configuration(contoso.subscription, kind=ProvisioningConfiguration.Kind.OTHER)
    now = {"actor": ACTOR, "at": timezone.now()}
    others, ended = (bearer_tokens.create_token(configuration=one, **now) for one in (other, okta))
    bearer_tokens.revoke_token(configuration=okta, token_id=okta.bearer_tokens.get().pk, **now)
    make_token(okta)

    for sent in ("", "<script>", make_secret("mfmt_"), others, ended, okta.bearer_tokens.latest("pk").digest, "a\0b"):
        answer = admin.post(f"{own}bearer/download/", {"bearer_token": sent}, follow=True)
        assert answer.redirect_chain == [(own, 303)]
        assert "cannot be downloaded any more" in answer.content.decode()
    assert admin.get(f"{own}bearer/download/").status_code == 405


def test_sending_the_form_again_makes_none_and_says_that_it_was_already_shown(okta, own, admin):
    form = fill(admin, f"{own}bearer/")
    admin.post(f"{own}bearer/", form)

    again = admin.post(f"{own}bearer/", form, follow=True)

    page = again.content.decode()
    assert "already shown" in page
    assert not TOKEN.search(page)
    assert okta.bearer_tokens.count() == 1


@pytest.mark.parametrize("days", ["0", "730", "x"])
def test_another_lifetime_is_not_offered(okta, own, admin, days):
    answer = admin.post(f"{own}bearer/", fill(admin, f"{own}bearer/", days))

    assert answer.status_code == 422
    assert not okta.bearer_tokens.exists()


def test_a_third_one_is_refused_and_says_what_to_do(okta, own, admin):
    for _ in range(bearer_tokens.MOST):
        make_token(okta)

    page = admin.get(f"{own}bearer/", follow=True).content.decode()

    assert "has two valid bearer tokens already" in page
    assert "Create bearer token" not in page


def test_other_kinds_have_no_part_for_it(contoso, admin):
    own = contoso.url(f"provisioning/configurations/{contoso.configuration.pk}/")

    assert "Create bearer token" not in admin.get(own).content.decode()
    refused = admin.post(f"{own}bearer/", {"lifetime": "90", "form_id": "7" * 32}, follow=True)
    assert "has no bearer tokens" in refused.content.decode()


def test_revoking_says_what_it_does_and_does_it(contoso, okta, own, admin):
    token = make_token(okta)
    page = contoso.url(f"provisioning/bearer/{token.pk}/revoke/")
    assert f"Revoke the bearer token …{token.last_four} of Okta?" in admin.get(page).content.decode()
    assert token.state(timezone.now()) == BearerToken.State.LIVE

    done = admin.post(page, follow=True).content.decode()

    token.refresh_from_db()
    assert token.state(timezone.now()) == BearerToken.State.REVOKED
    assert f"The bearer token …{token.last_four} of Okta is revoked." in done
    assert "not valid any more" in admin.get(page, follow=True).content.decode()


def test_without_a_secret_but_with_a_bearer_token_nothing_is_wrong(okta, own, admin):
    okta.secrets.all().delete()
    assert "It has no valid client secret" in admin.get(own).content.decode()

    make_token(okta)

    assert "It has no valid client secret" not in admin.get(own).content.decode()


def test_a_bearer_token_that_has_expired_is_named_where_it_was_the_only_way_in(okta, own, admin):
    okta.secrets.all().delete()
    make_token(okta)
    okta.bearer_tokens.update(expires_at=timezone.now())

    page = admin.get(own).content.decode()

    assert (
        "The bearer token has expired: the identity provider is refused. Create another one under Bearer token" in page
    )
    assert "It has no valid client secret" not in page


@pytest.mark.parametrize(("days", "is_told"), [(59, True), (61, False)])
def test_a_bearer_token_that_expires_soon_is_told_on_the_page_and_on_home(contoso, okta, own, admin, *, days, is_told):
    make_token(okta)
    okta.bearer_tokens.update(expires_at=timezone.now() + timedelta(days=days, minutes=1))

    for page in (own, contoso.url()):
        assert ("The bearer token expires on" in admin.get(page).content.decode()) == is_told


def test_another_bearer_token_silences_the_warning_once_it_is_used(okta, own, admin):
    make_token(okta)
    okta.bearer_tokens.update(expires_at=timezone.now() + timedelta(days=8))
    second = make_token(okta)
    assert "Give the identity provider another one before." in admin.get(own).content.decode()

    BearerToken.objects.filter(pk=second.pk).update(last_used_at=timezone.now())

    assert "The bearer token expires on" not in admin.get(own).content.decode()


def test_an_issuer_is_named_changed_and_ended(okta, own, admin):
    named = admin.post(f"{own}issuer/", TRUST, follow=True).content.decode()
    assert all(value in named for value in TRUST.values())

    asked = admin.get(f"{own}issuer/").content.decode()
    assert all(f'value="{value}"' in asked for value in TRUST.values())

    assert "Trust no issuer for Okta any more?" in admin.get(f"{own}issuer/end/").content.decode()
    ended = admin.post(f"{own}issuer/end/", follow=True).content.decode()
    okta.refresh_from_db()
    assert okta.issuer == ""
    assert "Name an issuer" in ended
    acts = AuditEntry.objects.filter(target="Okta", action__contains="issuer").order_by("id")
    assert [act.action for act in acts] == ["trust issuer", "end trust in issuer"]
    assert acts[0].changes["issuer"] == [None, TRUST["issuer"]]


WRONG = {
    "issuer": ("http://issuer.example", "begins with https://"),
    "issuer ": ("https://elsewhere.example", "MFMANAGE_ISSUER_HOSTS"),
    "subject": ("", "anybody at the issuer gets in"),
    "audience": (" ", "Enter the audience"),
}


@pytest.mark.parametrize("field", WRONG)
def test_what_cannot_be_trusted_is_refused_beside_its_field(okta, own, admin, field):
    value, said = WRONG[field]

    answer = admin.post(f"{own}issuer/", TRUST | {field.strip(): value})

    assert answer.status_code == 422
    assert said in answer.content.decode()
    okta.refresh_from_db()
    assert okta.issuer == ""


def test_a_classic_configurations_tenant_is_changed(contoso, admin):
    classic = make_classic(contoso)
    own = contoso.url(f"provisioning/configurations/{classic.pk}/")
    assert f'value="{TENANT}"' in admin.get(f"{own}issuer/").content.decode()

    admin.post(f"{own}issuer/", {"issuer": TENANT, "audience": "api://own", "subject": ""})
    assert '<code class="long">api://own</code>' in admin.get(own).content.decode()

    trusted_issuers.distrust_issuer(configuration=classic, actor=ACTOR, at=timezone.now())
    assert "It trusts no issuer" in admin.get(own).content.decode()


def addresses(contoso, okta):
    token = make_token(okta)
    own = contoso.url(f"provisioning/configurations/{okta.pk}/")
    return [
        f"{own}bearer/",
        f"{own}issuer/",
        f"{own}issuer/end/",
        contoso.url(f"provisioning/bearer/{token.pk}/revoke/"),
    ]


def test_each_asks_for_the_password_again_when_the_sign_in_is_old(contoso, okta, admin):
    session = admin.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time() - 600}]
    session.save()

    for page in addresses(contoso, okta):
        for answer in (admin.get(page), admin.post(page, {**TRUST, "lifetime": "90", "form_id": "7" * 32})):
            assert answer.status_code == 302
            assert answer["Location"].startswith("/account/reauthenticate/")
    okta.refresh_from_db()
    assert okta.issuer == ""
    assert okta.bearer_tokens.count() == 1
