"""People whom admins make, change and end by hand: what each deed does, and what it refuses with which sentence."""

import pytest
from django.db import transaction

from provisioning import signals
from provisioning.actor import Actor
from provisioning.models import AuditEntry, GroupMembership, LoginAccount
from provisioning.services import accounts, people
from tests.factories import (
    ACTOR,
    NOON,
    make_account,
    make_admin,
    make_call,
    make_configuration,
    make_group,
    make_person,
    make_subscription,
)
from tests.provisioning.deeds import LATER
from tests.races import together

pytestmark = pytest.mark.django_db
Role = LoginAccount.Role
SAME: dict[str, str] = {}


def actor_of(role):
    return Actor(kind="person", name="somebody", role=Role(role).label)


def change(account, actor=ACTOR, **fields):
    known = {name: getattr(account, name) for name in ("username", "full_name", "email", "role", "info1", "info2")}
    return people.change_person(account=account, actor=actor, at=LATER, **{**known, **fields})


def last_audit():
    entry = AuditEntry.objects.latest("id")
    return entry.action, entry.target, entry.changes


def fresh(account):
    return LoginAccount.objects.get(pk=account.pk)


def test_a_person_is_made_enabled_manual_and_findable():
    subscription = make_subscription()

    person = make_person(subscription, "Ann@Contoso.example", full_name="Ann Ångström", info1="1001")

    found = fresh(person)
    assert (found.is_enabled, found.configuration, found.scim_id, found.kind) == (True, None, None, "person")
    assert (found.username_key, found.display_name_key, found.email_key) == (
        "ann@contoso.example",
        "ann ångström",
        "ann@contoso.example",
    )
    assert last_audit() == (
        "create user",
        "Ann@Contoso.example",
        {
            "username": [None, "Ann@Contoso.example"],
            "full_name": [None, "Ann Ångström"],
            "email": [None, "Ann@Contoso.example"],
            "info1": [None, "1001"],
            "role": [None, "No role"],
        },
    )


@pytest.mark.parametrize("letters", ["ann@contoso.example", "ANN@CONTOSO.EXAMPLE", "Ann@contoso.Example"])
def test_a_username_is_taken_in_whatever_letter_case_and_by_whatever_account(letters):
    configuration = make_configuration()
    make_account(configuration, "ann@contoso.example")
    bo = make_person(configuration.subscription, "bo@contoso.example")

    with pytest.raises(people.UsernameInUse, match=f"has the username “{letters}” already"):
        make_person(configuration.subscription, letters)
    with pytest.raises(people.UsernameInUse):
        change(bo, username=letters)

    assert fresh(bo).username == "bo@contoso.example"
    make_person(make_subscription(), letters)


def test_a_person_may_change_the_letter_case_of_the_own_username():
    ann = make_person(make_subscription(), "ann@contoso.example")

    assert change(ann, username="Ann@contoso.example").username == "Ann@contoso.example"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"username": ""}, "A user needs a username."),
        ({"username": " ann"}, "Username begins or ends with a space. Take it away."),
        ({"username": "a\nb"}, "Username has a line break or another control character. Take it out."),
        ({"full_name": "\x00"}, "Full name has a line break or another control character. Take it out."),
        ({"full_name": "x" * 257}, "Full name has 257 characters; 256 are the most."),
        ({"email": "ann"}, "“ann” is not an email address. Write it like ann@example.com."),
        ({"email": "a@b@c"}, "“a@b@c” is not an email address. Write it like ann@example.com."),
        ({"info2": "x" * 2001}, "Additional information 2 has 2,001 characters; 2,000 are the most."),
    ],
)
def test_fields_that_make_no_sense_are_refused_with_a_sentence(fields, sentence):
    subscription = make_subscription()
    ann = make_person(subscription)
    whole = {"username": "new@contoso.example", "full_name": "", "email": "", "info1": "", "info2": ""}

    for refused in (
        lambda: change(ann, **fields),
        lambda: people.create_person(
            subscription=subscription, role=Role.NO_ROLE, actor=ACTOR, at=NOON, **{**whole, **fields}
        ),
    ):
        with pytest.raises(people.BadDetails) as caught:
            refused()
        assert caught.value.problems == {next(iter(fields)): sentence}


def test_what_changes_is_logged_and_what_stays_is_no_deed():
    ann = make_person(make_subscription(), "ann@contoso.example", full_name="Ann")
    before = AuditEntry.objects.count()

    change(ann)
    assert AuditEntry.objects.count() == before

    change(ann, full_name="Ann Berg", role=Role.BILLING_ADMIN)
    assert last_audit() == (
        "change user",
        "ann@contoso.example",
        {"full_name": ["Ann", "Ann Berg"], "role": ["No role", "Billing admin"]},
    )
    assert (fresh(ann).full_name, fresh(ann).display_name_key, fresh(ann).role) == ("Ann Berg", "ann berg", 1)
    assert fresh(ann).modified_at == LATER


@pytest.mark.parametrize("field", ["username", "full_name", "email", "info1", "info2"])
def test_what_a_provider_has_written_is_changed_there_except_the_role(field):
    ann = make_account(make_configuration(name="Entra"), "ann@contoso.example")

    with pytest.raises(people.ProviderDecides) as caught:
        change(ann, **{field: "other@contoso.example"})
    change(ann, role=Role.ACCESS_ADMIN)

    assert str(caught.value) == (
        "“ann@contoso.example” is provisioned by “Entra”. Change everything but the role there."
    )
    assert fresh(ann).role == Role.ACCESS_ADMIN


def test_disabled_and_enabled_again():
    ann = make_person(make_subscription())

    people.disable_person(account=ann, actor=ACTOR, at=LATER)
    assert (fresh(ann).is_enabled, fresh(ann).disabled_at) == (False, LATER)
    assert last_audit() == ("disable user", ann.username, {"state": ["Enabled", "Disabled"]})

    people.enable_person(account=ann, actor=ACTOR, at=LATER)
    assert (fresh(ann).is_enabled, fresh(ann).disabled_at) == (True, None)
    assert last_audit() == ("enable user", ann.username, {"state": ["Disabled", "Enabled"]})


@pytest.mark.parametrize("deed", [people.disable_person, people.enable_person])
def test_doing_it_twice_is_done_once(deed):
    ann = make_person(make_subscription())
    if deed is people.enable_person:
        people.disable_person(account=ann, actor=ACTOR, at=NOON)
    deed(account=ann, actor=ACTOR, at=NOON)
    before = AuditEntry.objects.count()

    deed(account=ann, actor=ACTOR, at=LATER)

    assert AuditEntry.objects.count() == before


def test_a_provisioned_account_is_disabled_enabled_and_deleted_by_its_provider():
    ann = make_account(make_configuration(name="Entra"), "ann@contoso.example")
    off = make_account(ann.configuration, "off@contoso.example", is_enabled=False)

    returning = "It would come back if it were deleted here. Remove the user there."
    for deed, account, sentence in (
        (people.disable_person, ann, "“ann@contoso.example” is provisioned by “Entra”. Disable the user there."),
        (people.enable_person, off, "“off@contoso.example” is provisioned by “Entra”. Enable the user there."),
        (people.delete_person, off, f"“off@contoso.example” is provisioned by “Entra”. {returning}"),
    ):
        with pytest.raises(people.ProviderDecides) as caught:
            deed(account=account, actor=ACTOR, at=LATER)
        assert str(caught.value) == sentence


def test_what_the_provider_removed_is_not_enabled_but_deleted_for_good():
    ann = make_account(make_configuration(), "ann@contoso.example")
    make_group(ann.configuration, "Legal", members=[ann])
    accounts.remove_account(scim_id=ann.scim_id, call=make_call(ann.configuration, operation="delete"))

    with pytest.raises(people.RemovedByProvider, match="The identity provider removed “ann"):
        people.enable_person(account=ann, actor=ACTOR, at=LATER)
    people.delete_person(account=ann, actor=ACTOR, at=LATER)

    assert not LoginAccount.objects.filter(pk=ann.pk).exists()
    assert not GroupMembership.objects.exists()
    assert last_audit() == ("delete user", "ann@contoso.example", {"full_name": ["Ann", None]})
    make_person(ann.configuration.subscription, "ann@contoso.example")


def test_only_who_is_disabled_is_deleted_and_only_once():
    ann = make_person(make_subscription(), "ann@contoso.example")

    with pytest.raises(people.StillEnabled) as caught:
        people.delete_person(account=ann, actor=ACTOR, at=LATER)
    assert str(caught.value) == "“ann@contoso.example” is enabled. Disable the user first, then delete."

    people.disable_person(account=ann, actor=ACTOR, at=LATER)
    people.delete_person(account=LoginAccount.objects.get(pk=ann.pk), actor=ACTOR, at=LATER)
    for deed in (people.delete_person, people.disable_person, people.enable_person):
        with pytest.raises(people.PersonGone):
            deed(account=ann, actor=ACTOR, at=LATER)


def test_who_cannot_let_an_account_go_keeps_it():
    ann = make_person(make_subscription())
    people.disable_person(account=ann, actor=ACTOR, at=NOON)

    def refuse(**_):
        raise RuntimeError

    signals.account_leaving.connect(refuse)
    try:
        with pytest.raises(RuntimeError), transaction.atomic():
            people.delete_person(account=ann, actor=ACTOR, at=LATER)
    finally:
        signals.account_leaving.disconnect(refuse)

    assert fresh(ann)


NO_ROLE, BILLING, ACCESS, SUBSCRIPTION = Role


@pytest.mark.parametrize(
    ("actor", "of", "to", "allowed"),
    [
        (ACCESS, NO_ROLE, NO_ROLE, True),
        (ACCESS, NO_ROLE, ACCESS, True),
        (ACCESS, ACCESS, NO_ROLE, True),
        (ACCESS, NO_ROLE, BILLING, False),
        (ACCESS, NO_ROLE, SUBSCRIPTION, False),
        (ACCESS, BILLING, NO_ROLE, False),
        (ACCESS, SUBSCRIPTION, NO_ROLE, False),
        (ACCESS, BILLING, BILLING, False),
        (SUBSCRIPTION, NO_ROLE, SUBSCRIPTION, True),
        (SUBSCRIPTION, BILLING, ACCESS, True),
        (SUBSCRIPTION, SUBSCRIPTION, NO_ROLE, True),
    ],
)
def test_access_admins_neither_touch_nor_appoint_billing_and_subscription_admins(actor, of, to, allowed):
    subscription = make_subscription()
    make_admin(subscription)
    ann, who = make_person(subscription, role=of), actor_of(actor)
    deeds = [
        lambda: people.set_role(account=ann, role=to, actor=who, at=LATER),
        lambda: change(fresh(ann), who, role=to, full_name="Other"),
    ]
    if of == to:
        deeds.append(lambda: people.disable_person(account=ann, actor=who, at=LATER))
        deeds.append(lambda: people.delete_person(account=ann, actor=who, at=LATER))

    for deed in deeds:
        if allowed:
            deed()
        else:
            with pytest.raises(people.RoleOutOfReach, match="Only a Subscription admin can"):
                deed()

    assert allowed or (fresh(ann).role, fresh(ann).is_enabled) == (of, True)


@pytest.mark.parametrize("role", [BILLING, SUBSCRIPTION])
def test_an_access_admin_creates_no_admin_above(role):
    with pytest.raises(people.RoleOutOfReach):
        make_person(make_subscription(), role=role, actor=actor_of(ACCESS))

    assert not LoginAccount.objects.exists()


def test_the_last_enabled_subscription_admin_keeps_role_and_access():
    root = make_admin(make_subscription(), "root@contoso.example")
    sentence = "“root@contoso.example” is the last enabled Subscription admin of the subscription. Appoint another"

    for deed in (
        lambda: people.disable_person(account=root, actor=ACTOR, at=LATER),
        lambda: people.set_role(account=root, role=ACCESS, actor=ACTOR, at=LATER),
        lambda: change(root, role=NO_ROLE),
    ):
        with pytest.raises(people.LastAdmin, match=sentence):
            deed()

    make_admin(root.subscription)
    people.disable_person(account=root, actor=ACTOR, at=LATER)
    assert not fresh(root).is_enabled


def test_a_role_lets_the_portal_user_of_that_email_in():
    user = make_admin(make_subscription(), "both@contoso.example").user
    other = make_subscription()

    created = make_person(other, "b1", email="Both@contoso.example", role=ACCESS)
    appointed = make_person(other, "b2", email="both@contoso.example")
    assert appointed.user is None
    people.set_role(account=appointed, role=ACCESS, actor=ACTOR, at=LATER)

    assert (fresh(created).user, fresh(appointed).user) == (user, user)


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_disable_each_other_at_once_one_stays():
    root = make_admin(make_subscription())
    admins = [root, make_admin(root.subscription)]

    def disable(number):
        try:
            people.disable_person(account=admins[number], actor=ACTOR, at=LATER)
        except people.LastAdmin:
            return "stays"
        return "disabled"

    assert sorted(together(2, disable)) == ["disabled", "stays"]
