"""A client secret is replaced in the browser: copied, downloaded, and gone for whoever comes back."""

import re

import pytest
from playwright.sync_api import Error

from provisioning.models import ClientSecret
from provisioning.services.peppers import digest

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def rotate(portal, page) -> str:
    """Replace the secret as a person does; return the one that is shown."""
    page.goto(portal.url(f"provisioning/configurations/{portal.contoso.configuration.pk}/"))
    page.get_by_role("link", name=re.compile("Replace secret|Create new secret")).click()
    page.get_by_role("button", name="Create new secret").click()
    secret: str = page.get_by_label("Client secret").input_value()
    return secret


@pytest.mark.parametrize("has_script", [True, False])
def test_a_secret_is_replaced_downloaded_and_never_shown_again(portal, has_script):
    with portal.visit(java_script_enabled=has_script, accept_downloads=True) as page:
        portal.sign_in(page)
        ClientSecret.objects.all().delete()
        secret = rotate(portal, page)
        assert ClientSecret.objects.get().digest == digest(secret)

        with page.expect_download() as download:
            page.get_by_role("button", name="Download as text").click()
        text = download.value.path().read_text()
        assert secret in text
        assert secret not in download.value.url
        page.get_by_role("link", name="I have stored it").click()
        page.get_by_role("heading", name="Credentials").wait_for()

        if has_script:
            page.go_back()
            assert not any(box.input_value() == secret for box in page.locator("input").all())
        else:
            with pytest.raises(Error, match="ERR_CACHE_MISS"):  # the browser asks whether to send the form again
                page.go_back()
            page.wait_for_url("chrome-error://**")
        assert secret not in page.content()
        assert ClientSecret.objects.count() == 1
