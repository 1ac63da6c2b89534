"""Users made, changed and ended by hand in the portal: the pages, and who may use them."""

import pytest

from provisioning.license_types import LicenseType
from provisioning.models import AuditEntry, LoginAccount
from provisioning.services import people
from provisioning.services.accounts import remove_account
from tests.factories import ACTOR, NOON, make_admin, make_call, make_person, make_subscription

Role = LoginAccount.Role
NEW = {
    "username": "new@contoso.example",
    "full_name": "New One",
    "email": "new@contoso.example",
    "license_type": int(LicenseType.READ_ONLY),
    "role": int(Role.NO_ROLE),
    "info1": "1001",
    "info2": "",
}


@pytest.fixture
def bo(contoso):
    return make_person(contoso.subscription, "bob@contoso.example", full_name="Bob Manual")


@pytest.fixture
def off(contoso):
    person = make_person(contoso.subscription, "off@contoso.example", full_name="Off")
    people.disable_person(account=person, actor=ACTOR, at=NOON)
    return person


def fresh(account):
    return LoginAccount.objects.get(pk=account.pk)


def edited(account, **fields):
    names = ("username", "full_name", "email", "role", "info1", "info2")
    return {**{name: getattr(account, name) for name in names}, **fields}


def text(answer):
    return answer.content.decode()


def test_a_user_is_created_with_a_license_and_shown(contoso, admin):
    assert "Create user" in text(admin.get(contoso.url("users/create/")))

    answer = admin.post(contoso.url("users/create/"), NEW)

    made = LoginAccount.objects.get(username_key="new@contoso.example")
    assert (answer.status_code, answer["Location"]) == (303, contoso.url(f"users/{made.pk}/"))
    assert (made.full_name, made.info1, made.license_grant.manual_type) == ("New One", "1001", LicenseType.READ_ONLY)
    acts = AuditEntry.objects.order_by("-id")[:2]
    assert [(act.action, act.actor_name) for act in acts] == [
        ("choose license type", "root@contoso.example"),
        ("create user", "root@contoso.example"),
    ]
    assert "new@contoso.example is added." in text(admin.get(answer["Location"]))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"username": ""}, "A user needs a username."),
        ({"username": "ANN@contoso.example"}, "has the username “ANN@contoso.example” already"),
        ({"email": "x"}, "“x” is not an email address."),
        ({"role": "9"}, "Select a valid choice"),
        ({"license_type": "9"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_stands_in_the_form_and_nothing_is_made(fields, sentence, contoso, admin):
    before = LoginAccount.objects.count()

    answer = admin.post(contoso.url("users/create/"), {**NEW, **fields})

    assert answer.status_code == 422
    assert sentence in text(answer)
    assert "New One" in text(answer)
    assert LoginAccount.objects.count() == before


def test_a_manual_user_is_edited(contoso, admin, bo):
    url = contoso.url(f"users/{bo.pk}/edit/")
    assert 'value="Bob Manual"' in text(admin.get(url))
    assert "license_type" not in text(admin.get(url))

    answer = admin.post(url, edited(bo, full_name="Bob Other", role=int(Role.ACCESS_ADMIN)))

    assert answer.status_code == 303
    assert (fresh(bo).full_name, fresh(bo).role) == ("Bob Other", Role.ACCESS_ADMIN)


def test_of_a_provisioned_user_only_the_role_is_asked_for(contoso, admin):
    url = contoso.url(f"users/{contoso.ann.pk}/edit/")

    page = text(admin.get(url))
    answer = admin.post(url, {"role": int(Role.ACCESS_ADMIN), "full_name": "Sneaked in"})

    assert 'name="full_name"' not in page
    assert "Contoso Entra ID provisions this user" in page
    assert answer.status_code == 303
    assert (fresh(contoso.ann).full_name, fresh(contoso.ann).role) == ("Ann Ångström", Role.ACCESS_ADMIN)


def test_the_last_admin_is_told_so(contoso, admin):
    root = LoginAccount.objects.get(username="root@contoso.example")

    answer = admin.post(contoso.url(f"users/{root.pk}/edit/"), edited(root, role=0))
    disabling = admin.post(contoso.url(f"users/{root.pk}/disable/"), follow=True)

    assert answer.status_code == 422
    for page in (answer, disabling):
        assert "is the last enabled Subscription admin of the subscription" in text(page)
    assert (fresh(root).role, fresh(root).is_enabled) == (Role.SUBSCRIPTION_ADMIN, True)


def test_disabled_enabled_and_deleted_after_typing_the_name(contoso, admin, bo):
    page = contoso.url(f"users/{bo.pk}/")

    assert "can sign in nowhere any more" in text(admin.post(f"{page}disable/", follow=True))
    assert not fresh(bo).is_enabled
    assert "asks for a license again" in text(admin.post(f"{page}enable/", follow=True))
    assert fresh(bo).is_enabled
    admin.post(f"{page}disable/")
    wrong = admin.post(f"{page}delete/", {"confirmation": "bob"})
    assert (wrong.status_code, "That is not the username" in text(wrong)) == (422, True)
    done = admin.post(f"{page}delete/", {"confirmation": "BOB@contoso.example"}, follow=True)

    assert "bob@contoso.example is deleted." in text(done)
    assert not LoginAccount.objects.filter(pk=bo.pk).exists()
    assert admin.post(f"{page}delete/", {"confirmation": "x"}).status_code == 404


def test_who_is_enabled_is_not_deleted_whatever_was_typed(contoso, admin, bo):
    url = contoso.url(f"users/{bo.pk}/delete/")

    assert "Disable the user first, then delete." in text(admin.get(url))
    assert "Delete for good" not in text(admin.get(url))
    answer = admin.post(url, {"confirmation": bo.username}, follow=True)

    assert "is enabled. Disable the user first, then delete." in text(answer)
    assert fresh(bo)


def test_a_users_page_offers_what_can_be_done(contoso, admin, bo, off):
    def offered(account):
        page = text(admin.get(contoso.url(f"users/{account.pk}/")))
        return {deed for deed in ("edit", "disable", "enable", "delete") if f"users/{account.pk}/{deed}/" in page}

    remove_account(scim_id=contoso.bo.scim_id, call=make_call(contoso.configuration, operation="delete"))

    assert offered(bo) == {"edit", "disable"}
    assert offered(off) == {"edit", "enable", "delete"}
    assert offered(contoso.ann) == {"edit"}
    assert offered(contoso.bo) == {"edit", "delete"}


def test_who_changes_users_and_who_does_not(contoso, sign_in, bo, off):
    paths = ["users/create/", f"users/{bo.pk}/edit/", f"users/{off.pk}/delete/", "users/import/", "users/users.csv"]

    def seen(role):
        client = sign_in(make_admin(contoso.subscription, role=role))
        return [client.get(contoso.url(path)).status_code for path in paths]

    assert seen(Role.SUBSCRIPTION_ADMIN) == [200] * 5
    assert seen(Role.ACCESS_ADMIN) == [200] * 5
    assert seen(Role.BILLING_ADMIN) == [404] * 5
    stranger = sign_in(make_admin(make_subscription("Fabrikam")))
    assert [stranger.get(contoso.url(path)).status_code for path in paths] == [404] * 5
    for deed in ("disable", "enable"):
        assert stranger.post(contoso.url(f"users/{bo.pk}/{deed}/")).status_code == 404


def test_a_billing_admin_is_offered_none_of_it(contoso, sign_in, bo):
    client = sign_in(make_admin(contoso.subscription, role=Role.BILLING_ADMIN))

    pages = text(client.get(contoso.url("users/"))) + text(client.get(contoso.url(f"users/{bo.pk}/")))

    for word in ("Create user", "Import CSV", "users.csv", "/edit/", "/disable/"):
        assert word not in pages


def test_an_access_admin_neither_appoints_nor_touches_admins_above(contoso, sign_in, bo):
    client = sign_in(make_admin(contoso.subscription, role=Role.ACCESS_ADMIN))
    root = make_admin(contoso.subscription)

    form = text(client.get(contoso.url("users/create/")))
    appointing = client.post(contoso.url(f"users/{bo.pk}/edit/"), edited(bo, role=int(Role.BILLING_ADMIN)))
    editing = client.get(contoso.url(f"users/{root.pk}/edit/"), follow=True)
    disabling = client.post(contoso.url(f"users/{root.pk}/disable/"), follow=True)

    assert ("Access admin</option>" in form, "Subscription admin</option>" in form) == (True, False)
    assert appointing.status_code == 422
    for page in (editing, disabling):
        assert "Only a Subscription admin can appoint, change" in text(page)
    assert (fresh(bo).role, fresh(root).is_enabled) == (Role.NO_ROLE, True)


def test_another_subscriptions_user_is_not_found(contoso, sign_in, bo):
    elsewhere = make_subscription("Fabrikam")
    client = sign_in(make_admin(elsewhere))
    page = f"/s/{elsewhere.number}/users/{bo.pk}/"

    assert client.get(f"{page}edit/").status_code == 404
    assert client.post(f"{page}disable/").status_code == 404
    assert client.post(f"{page}delete/", {"confirmation": bo.username}).status_code == 404
    assert fresh(bo).is_enabled


def test_an_application_account_is_no_person(contoso, admin, bo):
    LoginAccount.objects.filter(pk=bo.pk).update(kind=LoginAccount.Kind.APPLICATION)

    assert admin.get(contoso.url(f"users/{bo.pk}/edit/")).status_code == 404
