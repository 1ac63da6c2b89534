"""The program's line between subscriptions: every row has its subscription, every statement its scope (decision 25)."""

import threading
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from celery import shared_task
from django.apps import apps
from django.db import connection, models

import manage
from licensing import tasks
from licensing.models import DriftFinding, DriftReport
from licensing.reconcilers import licenses, vaults
from provisioning import tenancy
from provisioning.models import LoginAccount, Subscription, User, UserImport, Vault, VaultUserGroup
from provisioning.models.tenants import SubscriptionOf, TenantModel
from provisioning.services import user_imports
from provisioning.tasks import apply_import
from tests.factories import NOON, make_person, make_subscription, make_vault
from tests.races import together

pytestmark = pytest.mark.django_db
GLOBAL = {
    "account.EmailAddress": "belongs to a person, who may have roles in several subscriptions",
    "account.EmailConfirmation": "belongs to a person's address",
    "auth.Group": "Django's, and empty",
    "auth.Permission": "Django's",
    "contenttypes.ContentType": "Django's",
    "mfa.Authenticator": "belongs to a person",
    "oauth2_provider.AccessToken": "is looked up before it is known whose it is; opens one configuration",
    "oauth2_provider.Application": "is looked up before it is known whose it is; belongs to one configuration",
    "oauth2_provider.DeviceGrant": "the toolkit's, and empty: no such grant is offered",
    "oauth2_provider.Grant": "the toolkit's, and empty: no such grant is offered",
    "oauth2_provider.IDToken": "the toolkit's, and empty: no such grant is offered",
    "oauth2_provider.RefreshToken": "the toolkit's, and empty: no such grant is offered",
    "provisioning.PasswordMail": "belongs to a person, or to whoever typed an address; tells of no subscription",
    "provisioning.PortalSession": "belongs to a browser, in which a person may have roles in several subscriptions",
    "provisioning.Subscription": "is the tenant; its own table is protected by its id",
    "provisioning.User": "is a person, who may have roles in several subscriptions",
}
"""Tables that have no subscription, and why."""


@pytest.fixture
def tenants() -> list[Vault]:
    """A vault in each of two subscriptions."""
    return [make_vault(make_subscription(name)) for name in ("Contoso", "Fabrikam")]


@pytest.fixture
def strict(settings) -> None:
    """Outside of a scope nobody's rows are meant, as in the product."""
    settings.UNSCOPED = tenancy.NOBODY


def label(model: type[models.Model]) -> str:
    return model._meta.label


def test_every_table_is_a_tenants_or_has_a_reason_to_be_none():
    assert {label(model) for model in apps.get_models() if not issubclass(model, TenantModel)} == GLOBAL.keys()


@pytest.mark.parametrize("model", [model for model in apps.get_models() if issubclass(model, TenantModel)], ids=label)
def test_every_row_of_a_tenant_has_exactly_one_subscription(model: type[models.Model]):
    field = model._meta.get_field("subscription")

    assert isinstance(field, models.ForeignKey)
    assert field.related_model is Subscription
    assert not field.null
    assert field.column == "subscription_id"


def test_a_row_that_has_a_parent_has_the_parents_subscription(tenants):
    own, other = tenants
    report = DriftReport.objects.create(subscription=own.subscription, vault=own, started_at=NOON)

    group = VaultUserGroup.objects.create(vault=own, subscription=other.subscription, name="A", name_key="a")
    [finding] = DriftFinding.objects.bulk_create(
        [DriftFinding(report=report, kind="missing", subject="Ann", detail="", is_repaired=False)]
    )

    assert group.subscription_id == finding.subscription_id == own.subscription_id


def test_to_migrations_such_a_field_is_a_foreign_key_like_any_other():
    field = VaultUserGroup._meta.get_field("subscription")

    assert isinstance(field, SubscriptionOf)
    assert field.deconstruct()[1] == "django.db.models.ForeignKey"


@pytest.mark.parametrize(
    "ask",
    [
        Vault.objects.count,
        lambda: Vault.objects.filter(pk=1).exists(),
        lambda: Vault.objects.update(name="x"),
        lambda: Vault.objects.filter(subscription_id=1).delete(),
        lambda: list(LoginAccount.objects.filter(user__username="x").values("pk")),
        lambda: list(User.objects.filter(login_accounts__role=3)),
        lambda: list(Subscription.objects.all()),
        lambda: connection.cursor().execute("SELECT count(*) FROM provisioning_vault"),
    ],
)
def test_without_a_scope_no_statement_touches_a_tenants_table(strict, ask):
    with pytest.raises(tenancy.Unscoped, match=r"Enter tenancy\.of"):
        ask()


def test_without_a_scope_tables_of_all_can_be_used(strict):
    assert User.objects.count() == 0


def test_a_row_of_another_subscription_does_not_become_an_object(tenants):
    own, other = tenants
    with tenancy.of(own.subscription_id):
        assert Vault.objects.get(pk=own.pk) == own
        with pytest.raises(tenancy.OtherSubscription, match="belongs to another subscription"):
            Vault.objects.get(pk=other.pk)
        with pytest.raises(tenancy.OtherSubscription):
            list(Vault.objects.order_by("pk"))
        with pytest.raises(tenancy.OtherSubscription):
            list(Subscription.objects.get(pk=own.subscription_id).vaults.model.objects.iterator())


def test_a_scope_ends_where_it_was_entered_and_an_inner_one_hides_it(strict):
    with tenancy.of(1):
        with tenancy.everybody():
            assert tenancy.current() == tenancy.EVERYBODY
        with tenancy.nobody():
            tenancy.enter(2)
            assert tenancy.current() == 2
        assert tenancy.current() == 1
    assert tenancy.current() == tenancy.NOBODY


def test_a_thread_begins_with_nobodys_rows(strict):
    seen: list[tenancy.Scope] = []
    with tenancy.of(1):
        thread = threading.Thread(target=lambda: seen.append(tenancy.current()))
        thread.start()
        thread.join()

    assert seen == [tenancy.NOBODY]


def test_pieces_that_are_asked_for_later_are_made_in_their_scope_and_leave_none_behind(strict):
    def pieces() -> Iterator[tenancy.Scope]:
        yield tenancy.current()
        yield tenancy.current()

    with tenancy.of(7):
        stream = tenancy.each(7, pieces())

    assert next(stream) == 7
    assert tenancy.current() == tenancy.NOBODY
    assert list(stream) == [7]


def test_commands_work_for_everybody(strict):
    seen: list[tenancy.Scope] = []
    with patch.object(manage, "execute_from_command_line", lambda _: seen.append(tenancy.current())):
        manage.main()

    assert seen == [tenancy.EVERYBODY]


def test_a_task_touches_the_rows_of_what_it_is_called_for(strict):
    seen: list[tenancy.Scope] = []

    def note(*_: Any, **__: Any) -> None:
        seen.append(tenancy.current())

    with tenancy.everybody():
        vault = make_vault(make_subscription())
        file = UserImport.objects.create(subscription=vault.subscription, uploaded_at=NOON)
    with (
        patch.object(vaults, "reconcile", note),
        patch.object(user_imports, "apply", note),
        patch.object(licenses, "reconcile", note),
    ):
        tasks.reconcile_vault(vault_id=vault.pk)
        apply_import(import_id=file.pk)
        tasks.reconcile_licenses(subscription_id=vault.subscription_id)
        tasks.reconcile_vault(vault_id=999)
    SWEPT.clear()
    sweep()
    assert SWEPT == [tenancy.EVERYBODY]
    assert seen == [vault.subscription_id] * 3 + [tenancy.EVERYBODY]


SWEPT: list[tenancy.Scope] = []


@shared_task
def sweep() -> None:
    SWEPT.append(tenancy.current())


@pytest.mark.django_db(transaction=True)
def test_connections_of_other_threads_are_guarded_too(settings):
    subscription = make_subscription()
    make_person(subscription, "ann@contoso.example")
    settings.UNSCOPED = tenancy.NOBODY

    def ask(_: int) -> int:
        return LoginAccount.objects.count()

    assert all(isinstance(answer, tenancy.Unscoped) for answer in together(2, ask))


def test_whoever_wraps_statements_for_a_while_does_not_take_the_guard_away(strict):
    connection.close() if not connection.in_atomic_block else None
    with connection.execute_wrapper(lambda execute, *arguments: execute(*arguments)):
        connection.ensure_connection()
    tenancy.install(connection)

    assert connection.execute_wrappers.count(tenancy.guard) == 1
    with pytest.raises(tenancy.Unscoped):
        Vault.objects.count()
