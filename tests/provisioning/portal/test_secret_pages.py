"""The pages of client secrets: each says what it does, asks for a recent sign-in, and shows a secret once."""

import re
import time
import uuid
from datetime import timedelta

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from provisioning.models import AuditEntry, ClientSecret, LoginAccount, ProvisioningConfiguration
from provisioning.services import rotation
from provisioning.services.peppers import digest
from provisioning.services.secrets import make_secret
from tests.factories import ACTOR, PASSWORD, make_admin, make_configuration, make_subscription

SECRET = re.compile(r"mfms_[\w-]{49}")


@pytest.fixture
def page(contoso):
    """Return the address of a page of the configuration, whose one secret was made just now."""
    ClientSecret.objects.update(created_at=timezone.now(), expires_at=timezone.now() + timedelta(days=365))
    pk = contoso.configuration.pk
    return lambda name="": contoso.url(f"provisioning/configurations/{pk}/{name}")


@pytest.fixture
def revoke(contoso):
    return lambda secret: contoso.url(f"provisioning/secrets/{secret.pk}/revoke/")


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def form(client, page, **changes):
    form_id = re.search(r'name="form_id" value="([^"]+)"', client.get(page("secret/")).content.decode())[1]
    return {"hours": "1", "lifetime": "90", "form_id": form_id, **changes}


def secrets():
    return list(ClientSecret.objects.order_by("-pk"))


def grow_old(client):
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time() - 600}]
    session.save()


def start(contoso):
    return rotation.start_rotation(configuration=contoso.configuration, actor=ACTOR, at=timezone.now())


def test_rotating_says_first_what_it_will_do_then_shows_the_new_secret(contoso, admin, page):
    [old] = secrets()
    before = words(admin.get(page("secret/")))
    answer = admin.post(page("secret/"), form(admin, page, hours="4"))

    assert f"…{old.last_four} works on for as long as you say" in before
    new = SECRET.search(answer.content.decode())[0]
    assert "no-store" in answer["Cache-Control"]
    assert f"The old one, which ends with {old.last_four}, works until" in words(answer)
    made, old = secrets()
    assert made.digest == digest(new)
    assert made.expires_at - made.created_at == timedelta(days=90)
    assert old.retires_at - made.created_at == timedelta(hours=4)
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.actor_name) == ("start rotation of client secret", "root@contoso.example")
    assert new not in str(entry.changes)


def test_back_reload_and_a_second_tab_show_nothing_and_make_nothing(contoso, admin, page):
    sent = form(admin, page)
    new = SECRET.search(admin.post(page("secret/"), sent).content.decode())[0]
    other_tab = Client()
    other_tab.cookies = admin.cookies

    for client in (admin, other_tab):
        again = client.post(page("secret/"), sent, follow=True)
        assert again.redirect_chain == [(page(), 303)]
        assert "was already shown" in words(again)
        assert "Cancel rotation" in words(again), "what to do instead"
        assert not SECRET.search(again.content.decode())
    for path in (page(), page("secret/"), contoso.url("audit/"), contoso.url("")):
        assert new not in admin.get(path, follow=True).content.decode()
    assert len(secrets()) == 2


def test_the_form_of_a_first_secret_sent_again_starts_no_rotation(contoso, admin, page):
    admin.post(page("disconnect/"))
    sent = form(admin, page)
    del sent["hours"]
    assert SECRET.search(admin.post(page("secret/"), sent).content.decode())

    again = admin.post(page("secret/"), sent, follow=True)

    assert "was already shown" in words(again)
    assert "if you have not stored it, replace it" in words(again), "there is no rotation that could be cancelled"
    assert sum(secret.is_live(timezone.now()) for secret in secrets()) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hours": ""}, "0 to 24"),
        ({"hours": "25"}, "Enter 0 to 24 hours."),
        ({"hours": "-1"}, "Enter 0 to 24 hours."),
        ({"hours": "x"}, "Enter a whole number."),
        ({"lifetime": "731"}, "Select a valid choice"),
        ({"form_id": ""}, "Replace the client secret"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused_and_makes_nothing(admin, page, changes, said):
    answer = admin.post(page("secret/"), form(admin, page, **changes))

    assert answer.status_code == 422
    assert said in words(answer)
    assert len(secrets()) == 1


def test_the_page_of_the_configuration_tells_all_of_both_secrets_and_what_can_be_done(contoso, admin, page, revoke):
    [only] = secrets()
    text = words(admin.get(page()))
    assert f"Ends with {only.last_four}" in text
    assert "Not used yet" in text
    assert "Replace secret" in text

    start(contoso)

    answer, (new, old) = admin.get(page()), secrets()
    text = words(answer)
    assert f"New, ends with {new.last_four}" in text
    assert f"Old, ends with {old.last_four}" in text
    assert "Works until" in text
    assert "Replace secret" not in text
    assert {page("secret/complete/"), page("secret/cancel/"), revoke(new), revoke(old)} <= set(
        re.findall(r'href="([^"]+)"', answer.content.decode())
    )


def test_a_third_secret_is_refused_with_what_to_do(contoso, admin, page):
    start(contoso)

    answer = admin.get(page("secret/"), follow=True)

    assert "has two valid client secrets already. Complete or cancel the rotation" in words(answer)


def test_completing_says_whether_the_new_one_is_in_use_and_ends_the_old_one(contoso, admin, page):
    start(contoso)
    old = secrets()[1]
    text = words(admin.get(page("secret/complete/")))
    assert f"…{old.last_four} ends now" in text
    assert "It has not been used yet:" in text
    assert all(secret.is_live(timezone.now()) for secret in secrets()), "looking does nothing"

    done = admin.post(page("secret/complete/"), follow=True)

    assert "The old client secret of Contoso Entra ID is not valid any more." in words(done)
    assert [secret.is_live(timezone.now()) for secret in secrets()] == [True, False]
    assert "is being replaced now" in words(admin.post(page("secret/complete/"), follow=True))


def test_cancelling_revokes_the_new_one_and_leaves_the_old_one(contoso, admin, page):
    start(contoso)
    new, old = secrets()
    assert f"…{new.last_four} is revoked now" in words(admin.get(page("secret/cancel/")))

    admin.post(page("secret/cancel/"))

    new, old = secrets()
    assert (new.is_live(timezone.now()), old.retires_at, old.revoked_at) == (False, None, None)


def test_revoking_the_only_secret_says_that_the_provider_is_refused(contoso, admin, page, revoke):
    [only] = secrets()
    AccessToken.objects.create(
        application=contoso.configuration.application, token="t", expires=timezone.now() + timedelta(hours=1)
    )
    assert "the identity provider is refused until you create a new secret" in words(admin.get(revoke(only)))

    done = admin.post(revoke(only), follow=True)

    assert f"The client secret …{only.last_four} of Contoso Entra ID and all access tokens are revoked." in words(done)
    assert "Create new secret" in words(done)
    assert not AccessToken.objects.exists()
    assert "is not valid any more, so nothing was done" in words(admin.post(revoke(only), follow=True))


def test_disconnecting_says_what_it_does_and_a_new_secret_connects_again(contoso, admin, page):
    users = LoginAccount.objects.count()
    assert "All are revoked at once, and for good" in words(admin.get(page("disconnect/")))
    assert secrets()[0].is_live(timezone.now())

    done = admin.post(page("disconnect/"), follow=True)

    assert "no old secret or token opens anything any more" in words(done)
    assert "No secret is valid." in words(done)
    assert LoginAccount.objects.count() == users
    assert "Can connect again as soon as it has the new secret" in words(admin.get(page("secret/")))
    assert SECRET.search(admin.post(page("secret/"), form(admin, page)).content.decode())
    assert "No secret is valid." not in words(admin.get(page()))


def test_the_credentials_are_downloaded_as_text(contoso, admin, page):
    shown = admin.post(page("secret/"), form(admin, page)).content.decode()
    secret = SECRET.search(shown)[0]
    assert page("secret/download/") in shown
    assert secret not in "".join(re.findall(r'(?:href|action|src)="([^"]*)"', shown)), "never in an address"

    file = admin.post(page("secret/download/"), {"client_secret": secret})

    found, text = ProvisioningConfiguration.objects.get(pk=contoso.configuration.pk), file.content.decode()
    assert all(value in text for value in (found.tenant_url, found.token_endpoint, found.client_id, secret))
    assert file["Content-Disposition"] == 'attachment; filename="contoso-entra-id.txt"'
    assert file["Content-Type"] == "text/plain; charset=utf-8"
    assert "no-store" in file["Cache-Control"]


def test_what_is_no_secret_of_the_configuration_is_not_sent_back(contoso, admin, page):
    other = make_configuration(contoso.subscription)
    others = rotation.start_rotation(configuration=other, actor=ACTOR, at=timezone.now())

    for sent in ("", "<script>", make_secret(), others, "a\0b"):
        answer = admin.post(page("secret/download/"), {"client_secret": sent}, follow=True)
        assert answer.redirect_chain == [(page(), 303)]
        assert "cannot be downloaded any more" in words(answer)


PAGES = ["secret/", "secret/complete/", "secret/cancel/", "disconnect/"]


@pytest.mark.parametrize("name", [*PAGES, "revoke"])
def test_an_old_sign_in_has_to_be_confirmed_first(contoso, admin, page, revoke, name):
    sent = form(admin, page)
    address = revoke(secrets()[0]) if name == "revoke" else page(name)
    start(contoso)
    before = list(ClientSecret.objects.values())
    grow_old(admin)

    for answer in (admin.get(address), admin.post(address, sent)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/account/reauthenticate/?next=")
    assert list(ClientSecret.objects.values()) == before


def test_after_confirming_what_was_sent_is_carried_out_once(admin, page):
    sent = form(admin, page)
    grow_old(admin)
    confirm = admin.post(page("secret/"), sent)["Location"]

    shown = admin.post(confirm, {"password": PASSWORD, "next": page("secret/")})

    assert SECRET.search(shown.content.decode())
    assert len(secrets()) == 2


@pytest.mark.parametrize("name", [*PAGES, "secret/download/", "revoke"])
def test_a_billing_admin_and_a_stranger_find_no_page(contoso, sign_in, page, revoke, name):
    address = revoke(secrets()[0]) if name == "revoke" else page(name)
    before = list(ClientSecret.objects.values())
    billing = make_admin(contoso.subscription, role=LoginAccount.Role.BILLING_ADMIN)
    for account in (billing, make_admin(make_subscription("Fabrikam"))):
        assert sign_in(account).post(address, {"form_id": str(uuid.uuid4()), "hours": "1"}).status_code == 404

    assert list(ClientSecret.objects.values()) == before


def test_the_secret_of_another_subscription_is_nobodys(contoso, admin):
    foreign = make_configuration(make_subscription("Fabrikam")).secrets.get()

    answer = admin.post(contoso.url(f"provisioning/secrets/{foreign.pk}/revoke/"))

    assert answer.status_code == 404
    foreign.refresh_from_db()
    assert foreign.revoked_at is None


def test_home_and_the_page_warn_of_an_expiry(contoso, admin, page):
    ClientSecret.objects.filter(configuration=contoso.configuration).update(
        expires_at=timezone.now() + timedelta(days=59, hours=1)
    )

    for path in (page(), contoso.url("")):
        assert "The client secret expires on" in words(admin.get(path))
