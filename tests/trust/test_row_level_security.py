"""PostgreSQL's row-level security: every table of tenants has it, and it holds where the program forgets to filter."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from provisioning import rls, tenancy
from provisioning.models import Subscription, Vault
from tests.database_role import APPLICATION
from tests.factories import make_configuration, make_subscription, make_vault
from tests.scim.service import Service
from tests.trust.lines import no_row_level_security, row_level_security

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def as_application(db) -> Iterator[None]:
    with row_level_security():
        yield


@pytest.fixture
def vaults(db) -> list[Vault]:
    """One of each of two subscriptions."""
    return [make_vault(make_subscription(name)) for name in ("Contoso", "Fabrikam")]


def seen() -> set[int]:
    """Ask as carelessly as can be, without making objects."""
    return set(Vault.objects.values_list("pk", flat=True))


def test_every_table_of_tenants_is_protected_from_its_owner_too():
    assert rls.unprotected() == []


@pytest.mark.parametrize(
    "lost",
    [
        f"DROP POLICY {rls.POLICY} ON provisioning_vault",
        "ALTER TABLE provisioning_vault NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE provisioning_vault DISABLE ROW LEVEL SECURITY",
    ],
)
def test_a_table_that_lost_its_protection_gets_it_back_with_the_next_migration(lost):
    with no_row_level_security(), connection.cursor() as cursor:
        cursor.execute(lost)
        assert rls.unprotected() == ["provisioning_vault"]

        rls.protect()

        assert rls.unprotected() == []


def test_a_scope_shows_its_own_rows_only_and_everybody_shows_all(vaults, as_application):
    first, second = vaults
    with tenancy.of(first.subscription_id):
        assert seen() == {first.pk}
        assert set(Subscription.objects.values_list("pk", flat=True)) == {first.subscription_id}
    with tenancy.of(second.subscription_id):
        assert seen() == {second.pk}
    with tenancy.everybody():
        assert seen() == {first.pk, second.pk}


def test_without_row_level_security_the_same_question_shows_all(vaults):
    with no_row_level_security(), tenancy.of(vaults[0].subscription_id):
        assert seen() == {vault.pk for vault in vaults}


def test_a_session_that_was_told_no_scope_sees_nothing(vaults, as_application):
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, '', false)", [tenancy.SETTING])
        cursor.cursor.execute("SELECT count(*) FROM provisioning_vault")
        assert cursor.fetchone() == (0,)


def nothing() -> None:
    """Let the transaction begin with what is asked in a scope."""


def ask() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def make_savepoint() -> None:
    transaction.savepoint_commit(transaction.savepoint())


@pytest.mark.parametrize(
    "change",
    [
        lambda vault: Vault.objects.filter(pk=vault.pk).update(name="Taken"),
        lambda vault: Vault.objects.filter(pk=vault.pk).delete()[0],
    ],
)
def test_rows_of_another_subscription_are_neither_changed_nor_deleted(vaults, as_application, change):
    own, other = vaults
    with tenancy.of(own.subscription_id):
        assert change(other) == 0

    with tenancy.everybody():
        assert Vault.objects.get(pk=other.pk).name == other.name


def test_no_row_is_written_into_another_subscription(vaults, as_application):
    own, other = vaults
    with tenancy.of(own.subscription_id):
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Vault(subscription_id=other.subscription_id, name="Planted", created_at=own.created_at).save()
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Vault.objects.filter(pk=own.pk).update(subscription_id=other.subscription_id)


def test_what_a_rollback_took_back_is_told_again(vaults, as_application):
    first, second = vaults
    with tenancy.of(first.subscription_id):
        assert seen() == {first.pk}
    with transaction.atomic(), tenancy.of(second.subscription_id):
        assert seen() == {second.pk}
        transaction.set_rollback(True)
    with tenancy.of(first.subscription_id):
        assert seen() == {first.pk}
    with tenancy.of(second.subscription_id):
        assert seen() == {second.pk}


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_rolled_back_whole_leaves_no_wrong_scope():
    first, second = (make_vault(make_subscription(name)) for name in ("Contoso", "Fabrikam"))
    with row_level_security():
        for _ in range(2):
            with transaction.atomic(), tenancy.of(second.subscription_id):
                assert seen() == {second.pk}
                transaction.set_rollback(True)
            with tenancy.of(first.subscription_id):
                assert seen() == {first.pk}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("begin", [nothing, ask, make_savepoint])
def test_a_deed_that_is_tried_again_after_a_rollback_is_told_again(begin):
    """A decorated deed has one and the same object for all its transactions."""
    first, second = (make_vault(make_subscription(name)) for name in ("Contoso", "Fabrikam"))

    @transaction.atomic
    def deed(*, fails: bool) -> set[int]:
        with tenancy.nobody():
            begin()
        with tenancy.of(second.subscription_id):
            found = seen()
        transaction.set_rollback(fails)
        return found

    with row_level_security():
        with tenancy.of(first.subscription_id):
            assert seen() == {first.pk}
        assert [deed(fails=True), deed(fails=False), deed(fails=False)] == [{second.pk}] * 3


def test_a_scim_call_is_told_apart_by_its_first_statement_alone(monkeypatch):
    services = [Service(make_configuration()) for _ in range(2)]
    users = [service.make_user("ada@x") for service in services]
    told: list[Any] = []
    execute = connection.connection.execute

    with row_level_security():
        monkeypatch.setattr(connection.connection, "execute", lambda *text: (told.append(text), execute(*text)))
        for service, user in zip(services, users, strict=True):
            assert service.ask("GET", f"/Users/{user}").status == 200
        assert services[0].ask("GET", f"/Users/{users[1]}").status == 404
        assert told == []


def test_a_token_for_another_tenant_url_opens_nothing_and_leaves_no_scope(as_application):
    own, other = Service(make_configuration()), make_configuration()
    own.make_user("ada@x")
    url = f"/scim/v2/{other.public_id}/Users"

    assert Client().get(url, headers={"Authorization": f"Bearer {own.token}"}).status_code == 401
    assert own.ask("GET", "/Users").body["totalResults"] == 1


def test_the_application_neither_owns_a_table_nor_passes_row_level_security():
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = %s", [APPLICATION])
        assert cursor.fetchall() == [(False, False)]
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = %s", [APPLICATION])
        assert cursor.fetchone() == (0,)
