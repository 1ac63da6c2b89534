"""What stands in addresses and forms stays text and changes nothing else; a fault tells nothing of the inside."""

import logging

import pytest
from django.test import Client, override_settings

from provisioning.models import LoginAccount
from tests.scim.service import Service
from tests.security.addresses import ask, undone
from tests.security.test_hostile_names import HOSTILE, RAW

ADMIN = LoginAccount.Role.SUBSCRIPTION_ADMIN


@pytest.mark.parametrize("target", ["q", "sort", "page", "part", "vault", "status", "type", "role", "since", "until"])
def test_what_stands_in_an_address_stays_text(target, tenant):
    for path in ("users/", "provisioning/log/", "audit/", "licenses/", "vaults/", "provisioning/groups/"):
        with undone():
            answer = tenant.browsers[ADMIN].get(tenant.contoso.url(path), {target: HOSTILE})
        assert answer.status_code in {200, 404, 422}
        assert not RAW.search(answer.content.decode())


def test_a_line_of_a_log_is_one_line_whatever_a_client_sends(tenant, caplog):
    with caplog.at_level(logging.DEBUG), undone():
        Client().get("/no/such/page", headers={"x-request-id": "one\nFORGED", "user-agent": "x\r\nFORGED"})
        Client().get("/no%0aFORGED%0d/")

    assert not any("\nFORGED" in record.getMessage() for record in caplog.records)


@override_settings(DEBUG=False)
def test_a_fault_is_told_in_a_sentence_and_not_by_its_cause(tenant, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("SELECT secret FROM table of hidden things")

    monkeypatch.setattr("provisioning.queries.accounts.find", broken)
    browser = tenant.browsers[ADMIN]
    browser.raise_request_exception = False
    answer = ask(browser, "GET", tenant.contoso.url(f"users/{tenant.contoso.ann.pk}/"))
    browser.raise_request_exception = True

    assert answer.status_code == 500
    assert "The page could not be made, and nothing was changed." in answer.content.decode()
    assert "hidden things" not in answer.content.decode()


def test_what_a_form_does_not_ask_for_is_not_changed(tenant):
    """Mass assignment: fields of the row, or of a higher role, beside those that the form has."""
    ann, contoso = tenant.contoso.ann, tenant.contoso
    before = LoginAccount.objects.filter(pk=ann.pk).values().get()
    with undone():
        tenant.browsers[ADMIN].post(
            contoso.url(f"users/{ann.pk}/edit/"),
            {
                "role": "0",
                "is_enabled": "",
                "username": "eve",
                "scim_id": "1",
                "subscription": "2",
                "configuration": "",
                "user": "1",
            },
        )
        after = LoginAccount.objects.filter(pk=ann.pk).values().get()

    assert {name for name in before if before[name] != after[name]} <= {"modified_at"}


def test_a_parameter_that_stands_twice_is_taken_once(tenant):
    page = tenant.browsers[ADMIN].get(tenant.contoso.url("users/?q=ann&q=nobody"))

    assert page.status_code == 200
    assert "Ann Ångström" not in page.content.decode()


def test_the_service_answers_no_more_of_a_user_than_its_document(tenant):
    with undone():
        service = Service(tenant.contoso.configuration)
        body = service.ask("GET", f"/Users/{tenant.contoso.ann.scim_id}").body

    assert not {"password", "role", "user", "pk", "subscription", "uid", "license"} & body.keys()
