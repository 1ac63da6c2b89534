"""Calls of machines go past what browsers need, and lose nothing that protects."""

import pytest
from django.test import override_settings

from tests.factories import make_configuration
from tests.scim.service import Service

pytestmark = pytest.mark.django_db
ADDRESSES = ["/scim/v2/unknown/Users", "/oauth/token"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_answer_to_a_machine_has_its_id_its_length_and_the_headers_that_protect(client, address):
    answer = client.post(address, headers={"x-request-id": "an-id-of-the-caller"})

    assert answer.status_code in {400, 401}
    assert answer["X-Request-ID"] == "an-id-of-the-caller"
    assert answer["Content-Length"] == str(len(answer.content))
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert not answer.cookies


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_host_that_is_not_ours_is_refused(client, address):
    assert client.post(address, headers={"host": "elsewhere.example"}).status_code == 400


@pytest.mark.parametrize("address", ADDRESSES)
@override_settings(SECURE_SSL_REDIRECT=True)
def test_a_machine_is_refused_over_plain_http_and_not_led_on(client, address):
    plain, encrypted = client.post(address), client.post(address, secure=True)

    assert plain.status_code == 400
    assert "Use https" in plain.content.decode()
    assert "Use https" not in encrypted.content.decode()


@override_settings(SECURE_SSL_REDIRECT=True)
def test_a_person_is_led_from_plain_http_to_https(client):
    assert client.get("/account/login/")["Location"] == "https://testserver/account/login/"


def test_an_answer_without_a_body_has_no_length():
    service = Service(make_configuration())

    answer = service.ask("DELETE", f"/Users/{service.make_user('ada@x')}")

    assert answer.status == 204
    assert "content-length" not in answer.headers


def test_pages_keep_the_policy_and_the_token_of_their_forms(client):
    answer = client.get("/account/login/")

    assert answer.status_code == 200
    assert "csrftoken" in answer.cookies
    assert "script-src 'self'" in answer["Content-Security-Policy"]
