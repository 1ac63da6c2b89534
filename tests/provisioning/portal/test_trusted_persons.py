"""Trusted persons: added, changed and removed by who may change vault rights, seen by everybody."""

import pytest
from django.db import connection
from django.template import Context, Template
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from provisioning.models import AuditEntry, LoginAccount, TrustedPerson
from provisioning.permissions import Role as PortalRole
from provisioning.services import trusted_persons as services
from tests.factories import ACTOR, NOON, make_admin, make_subscription, make_vault
from tests.races import together

Role = LoginAccount.Role


def add(contoso, email="tina@partner.example", *, vault=None, name="Tina Trusted"):
    return services.add_trusted_person(
        subscription=contoso.subscription, vault=vault, name=name, email=email, actor=ACTOR, at=NOON
    )


def text(answer):
    return answer.content.decode()


def test_an_admin_adds_one_of_a_vault_and_one_of_all(contoso, admin):
    url = contoso.url("trusted/add/")
    assert f'<option value="{contoso.contracts.pk}" selected>' in text(admin.get(f"{url}?vault={contoso.contracts.pk}"))

    admin.post(url, {"vault": contoso.contracts.pk, "name": "Tina", "email": " Tina@Partner.example "})
    saved = admin.post(url, {"vault": "", "name": "Uwe", "email": "uwe@partner.example"}, follow=True)

    assert saved.redirect_chain == [(contoso.url("trusted/"), 303)]
    found = TrustedPerson.objects.order_by("pk").values_list("name", "email", "email_key", "vault__name")
    assert list(found) == [
        ("Tina", "Tina@Partner.example", "tina@partner.example", "Contracts"),
        ("Uwe", "uwe@partner.example", "uwe@partner.example", None),
    ]
    entries = AuditEntry.objects.filter(action="add trusted person").order_by("pk")
    assert [(entry.target, entry.changes["email"]) for entry in entries] == [
        ("Contracts", [None, "Tina@Partner.example"]),
        ("All vaults", [None, "uwe@partner.example"]),
    ]


def test_one_address_is_trusted_once_for_each_vault_and_once_for_all(contoso, admin):
    add(contoso, vault=contoso.contracts)
    add(contoso, vault=make_vault(contoso.subscription, "Archive"))
    add(contoso)
    url = contoso.url("trusted/add/")

    for vault, sentence in ((contoso.contracts.pk, "of “Contracts” already"), ("", "of all vaults already")):
        answer = admin.post(url, {"vault": vault, "name": "Tina", "email": "TINA@partner.example"})
        assert answer.status_code == 422
        assert sentence in text(answer)
        assert 'value="TINA@partner.example"' in text(answer)
    assert TrustedPerson.objects.count() == 3


@pytest.mark.parametrize("email", ["tina", "tina@", "a b@partner.example", "tina@partner.example\nbcc: x", "x" * 300])
def test_what_is_no_address_is_refused(contoso, admin, email):
    answer = admin.post(contoso.url("trusted/add/"), {"name": "Tina", "email": email})

    assert answer.status_code == 422
    with pytest.raises(services.NotAnAddress):
        add(contoso, email)
    assert not TrustedPerson.objects.exists()


def test_what_is_left_empty_is_asked_for(contoso, admin):
    answer = admin.post(contoso.url("trusted/add/"), {"name": "", "email": ""})

    assert answer.status_code == 422
    assert all(sentence in answer.content.decode() for sentence in ("Enter a name.", "Enter an e-mail address."))


def test_the_service_refuses_a_name_that_does_not_fit(contoso):
    with pytest.raises(services.NameTooLong):
        add(contoso, name="x" * 201)


def test_a_vault_of_another_subscription_is_refused(contoso, admin):
    foreign = make_vault(make_subscription("Fabrikam"))

    answer = admin.post(contoso.url("trusted/add/"), {"vault": foreign.pk, "name": "T", "email": "t@partner.example"})

    assert answer.status_code == 422
    assert not TrustedPerson.objects.exists()


def test_an_admin_changes_one_and_the_log_says_what(contoso, admin):
    person = add(contoso, vault=contoso.contracts)
    other = add(contoso, "uwe@partner.example", vault=contoso.contracts)
    url = contoso.url(f"trusted/{person.pk}/")
    assert 'value="Tina Trusted"' in text(admin.get(url))

    taken = admin.post(url, {"name": "Tina", "email": other.email})
    admin.post(url, {"name": "Tina Trusted", "email": "tina@new.example"})
    admin.post(url, {"name": "Tina Trusted", "email": "tina@new.example"})

    assert taken.status_code == 422
    person.refresh_from_db()
    assert (person.email, person.vault) == ("tina@new.example", contoso.contracts)
    changes = AuditEntry.objects.filter(action="change trusted person").values_list("changes", flat=True)
    assert list(changes) == [{"email": ["tina@partner.example", "tina@new.example"]}]


def test_an_admin_is_asked_before_one_is_removed(contoso, admin):
    person = add(contoso)
    url = contoso.url(f"trusted/{person.pk}/remove/")
    assert "gets no more mail about problems of all vaults" in text(admin.get(url))
    assert TrustedPerson.objects.exists()

    gone = admin.post(url, follow=True)

    assert "tina@partner.example is not a trusted person any more." in text(gone)
    assert not TrustedPerson.objects.exists()
    assert AuditEntry.objects.get(action="remove trusted person").changes["email"] == ["tina@partner.example", None]


def test_one_who_is_gone_meanwhile_is_said_to_be(contoso):
    person = add(contoso)
    TrustedPerson.objects.all().delete()

    with pytest.raises(services.TrustedPersonGone):
        services.remove_trusted_person(person=person, actor=ACTOR, at=NOON)
    with pytest.raises(services.TrustedPersonGone):
        services.change_trusted_person(person=person, name="T", email="t@partner.example", actor=ACTOR, at=NOON)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_add_the_same_address_at_once_one_does(contoso):
    results = together(6, lambda _number: add(contoso))

    refused = [one for one in results if isinstance(one, services.AlreadyTrusted)]
    assert len(refused) == 5
    assert TrustedPerson.objects.count() == 1


def test_a_billing_admin_sees_them_and_changes_none(contoso, sign_in):
    person = add(contoso, vault=contoso.contracts)
    client = sign_in(make_admin(contoso.subscription, role=Role.BILLING_ADMIN))

    page = text(client.get(contoso.url("trusted/")))

    assert "Tina Trusted" in page
    assert "Contracts" in page
    assert "trusted/add/" not in page
    for path in ("add/", f"{person.pk}/", f"{person.pk}/remove/"):
        assert client.post(contoso.url(f"trusted/{path}"), {"name": "x", "email": "x@x.example"}).status_code == 404
    assert TrustedPerson.objects.get().name == "Tina Trusted"


def test_those_of_another_subscription_are_not_found(contoso, sign_in):
    person = add(contoso)
    fabrikam = make_subscription("Fabrikam")
    client = sign_in(make_admin(fabrikam))

    assert "Tina" not in text(client.get(f"/s/{fabrikam.number}/trusted/"))
    assert client.get(f"/s/{fabrikam.number}/trusted/{person.pk}/").status_code == 404
    assert client.post(f"/s/{fabrikam.number}/trusted/{person.pk}/remove/").status_code == 404


def test_the_part_of_a_vaults_page_shows_its_own_before_those_of_all(contoso, django_assert_num_queries):
    for number in range(12):
        add(contoso, f"a{number:02}@all.example")
        add(contoso, f"z{number:02}@own.example", vault=contoso.contracts)
    add(contoso, "other@vault.example", vault=make_vault(contoso.subscription, "Archive"))
    request = RequestFactory().get("/")
    request.subscription, request.role = contoso.subscription, PortalRole.SUBSCRIPTION_ADMIN
    template = Template('{% include "provisioning/_trusted_persons.html" %}')

    with django_assert_num_queries(1):
        part = template.render(Context({"vault": contoso.contracts, "request": request}))

    assert part.count("own.example") == 12
    assert part.count("all.example") == 8
    assert "other@" not in part
    assert f"trusted/add/?vault={contoso.contracts.pk}" in part


def test_the_list_is_paged_and_costs_the_same_for_many(contoso, admin):
    counts = []
    for first, last in ((0, 3), (3, 60)):
        for number in range(first, last):
            add(contoso, f"t{number:02}@partner.example", vault=contoso.contracts if number % 2 else None)
        with CaptureQueriesContext(connection) as captured:
            page = text(admin.get(contoso.url("trusted/")))
        counts.append(len(captured))

    assert counts[0] == counts[1]
    assert page.count("@<wbr>partner.example") == 50
    assert "Next page" in page
