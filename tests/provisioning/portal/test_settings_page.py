"""The page of a subscription's settings, as a person uses it."""

import re
from html import unescape

import pytest

from provisioning.models import AuditEntry, LoginAccount, Subscription
from tests.factories import make_admin, make_subscription

FORM = {
    "contact_name": "Ann Ångström",
    "contact_email": "it@contoso.example",
    "time_zone": "Europe/Helsinki",
    "release_policy": "after_days",
    "release_after_days": "14",
    "fill_policy": "on_purchase",
    "protection_least": "25",
    "protection_percent": "5",
    "overrides_vault_disabling": "True",
}


@pytest.fixture
def url(contoso):
    return contoso.url("settings/")


def text(answer):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def test_the_page_says_in_plain_words_what_holds(admin, url):
    page = text(admin.get(url))

    assert "Contoso" in page
    assert "up to the larger of 10 and 20 % of its users in an hour" in page
    for words in (
        "Release the license at once",
        "Whenever a license becomes free",
        "Days until it is released",
        "until somebody enables it",
    ):
        assert words in page


def test_what_is_chosen_is_saved_said_and_shown(contoso, admin, url):
    answer = admin.post(url, FORM, follow=True)

    assert answer.redirect_chain == [(url, 303)]
    page = answer.content.decode()
    assert "The settings are saved." in page
    assert "larger of <strong>25</strong> and <strong>5 %</strong>" in page
    kept = Subscription.objects.get(pk=contoso.subscription.pk)
    assert {field: str(getattr(kept, field)) for field in FORM} == FORM
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.actor_name) == ("change settings", "root@contoso.example")
    assert entry.changes["time_zone"] == ["UTC", "Europe/Helsinki"]
    assert "Nothing was changed." in admin.post(url, FORM, follow=True).content.decode()


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("release_after_days", "-3", "-3 is not between 0 and 3650 days."),
        ("release_after_days", "soon", "Enter a whole number."),
        ("release_after_days", "9" * 30, "is not between 0 and 3650 days."),
        ("protection_percent", "120", "120 is not between 0 and 100 percent."),
        ("contact_email", "nobody", "“nobody” is not an e-mail address."),
        ("time_zone", "Mars/Olympus", "Select a valid choice."),
        ("fill_policy", "", "This field is required."),
    ],
)
def test_a_mistake_is_told_beside_its_field_and_what_was_typed_stays(admin, url, field, typed, sentence):
    answer = admin.post(url, {**FORM, field: typed})

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Nothing was saved." in page
    told = page[page.index(f'id="id_{field}_error"') :][:300]
    assert sentence in unescape(told)
    assert 'value="Ann Ångström"' in page
    assert field in {"time_zone", "fill_policy"} or f'value="{typed}"' in page
    assert Subscription.objects.get().contact_name == ""


@pytest.mark.parametrize("role", [LoginAccount.Role.BILLING_ADMIN, LoginAccount.Role.ACCESS_ADMIN])
def test_only_a_subscription_admin_sees_and_changes_settings(contoso, sign_in, url, role):
    client = sign_in(make_admin(contoso.subscription, role=role))

    assert client.get(url).status_code == 404
    assert client.post(url, FORM).status_code == 404
    assert url not in [*re.findall(r'href="([^"]+)"', client.get(contoso.url()).content.decode())]
    assert Subscription.objects.get(pk=contoso.subscription.pk).fill_policy == "always"


def test_the_admin_of_another_subscription_finds_no_page(sign_in, url):
    assert sign_in(make_admin(make_subscription("Fabrikam"))).get(url).status_code == 404


def test_the_navigation_leads_there(contoso, admin, url):
    assert f'href="{url}"' in admin.get(contoso.url()).content.decode()
    assert re.search(rf'href="{url}" aria-current="page"', admin.get(url).content.decode())
