"""Two subscriptions with one of everything that an address can name, and people of every role in each."""

import time
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Model
from django.test import Client
from django.utils import timezone

from licensing.models import DriftReport, VaultGroupChange, VaultUser
from provisioning.actor import Actor
from provisioning.exports import csv_lines
from provisioning.models import (
    AuditEntry,
    LoginAccount,
    ProvisioningConfiguration,
    ProvisioningLogEntry,
    Subscription,
)
from provisioning.queries import accounts
from provisioning.queries import user_files as files
from provisioning.services import audit, bearer_tokens, deletion, trusted_persons, user_imports
from provisioning.user_rows import TITLES
from tests.contoso import Contoso, make_contoso
from tests.factories import ACTOR, NOON, make_admin, make_configuration
from tests.single_sign_on import make_identity, make_single_sign_on

Role = LoginAccount.Role


@dataclass(frozen=True)
class Tenant:
    """``things`` are by their kind (``tests.trust.rules``); ``browsers`` by the role of who has signed in there."""

    contoso: Contoso
    things: dict[str, Model]
    browsers: dict[Role, Client]

    @property
    def subscription(self) -> Subscription:
        return self.contoso.subscription


def make_tenant(name: str) -> Tenant:
    """Return a subscription of that name with one of everything."""
    contoso = make_contoso(name)
    return Tenant(contoso, _things(contoso), {role: _browser(contoso, role) for role in Role})


def _things(contoso: Contoso) -> dict[str, Model]:
    subscription, vault, target = contoso.subscription, contoso.contracts, contoso.link.target
    own = {"subscription": subscription, "vault": vault}
    other = make_configuration(subscription, kind=ProvisioningConfiguration.Kind.OTHER)
    bearer_tokens.create_token(configuration=other, actor=ACTOR, at=timezone.now())
    deleted = make_configuration(subscription)
    deletion.delete_configuration(configuration=deleted, actor=ACTOR, at=timezone.now())
    return {
        "account": contoso.bo,
        "act": _act_of_the_billing_admin(subscription),
        "application": contoso.archiver,
        "bearer_token": other.bearer_tokens.get(),
        "call": ProvisioningLogEntry.objects.filter(subscription=subscription).latest("pk"),
        "client_secret": contoso.configuration.secrets.get(),
        "configuration": contoso.configuration,
        "deleted_configuration": deleted,
        "group": contoso.legal,
        "group_change": VaultGroupChange.objects.create(
            group=target, key=str(contoso.ann.uid), is_member=True, asked_by="Root", asked_at=NOON, **own
        ),
        "link": contoso.link,
        "other_configuration": other,
        "report": DriftReport.objects.create(started_at=NOON, **own),
        "sign_on_identity": make_identity(contoso.ann, make_single_sign_on(subscription)),
        "trusted_person": trusted_persons.add_trusted_person(
            subscription=subscription, vault=vault, name="Tom", email="tom@contoso.example", actor=ACTOR, at=NOON
        ),
        "user_import": user_imports.upload(
            subscription=subscription, file_name="users.csv", data=_file_of(subscription), actor=ACTOR, at=NOON
        ),
        "vault": vault,
        "vault_group": target,
        "vault_user": VaultUser.objects.create(account=contoso.ann, account_uid=contoso.ann.uid, **own),
    }


def _file_of(subscription: Subscription) -> bytes:
    """Return a file of users in which one is to get another role."""
    rows = list(files.rows(accounts.internal_users(subscription, accounts.Wanted())))
    changed = [row._replace(role=Role.ACCESS_ADMIN.label) if row.username.startswith("ann") else row for row in rows]
    return "".join(csv_lines(TITLES, changed)).encode()


def _act_of_the_billing_admin(subscription: Subscription) -> AuditEntry:
    """Return an act that everybody may see who sees any: who sees only the own ones has done it."""
    name = _address(subscription, Role.BILLING_ADMIN)
    actor = Actor(kind="person", name=name, role=Role.BILLING_ADMIN.label)
    audit.record(subscription_id=subscription.pk, actor=actor, action="try", target="", at=NOON)
    return AuditEntry.objects.get(subscription=subscription, actor_name=name)


def _address(subscription: Subscription, role: Role) -> str:
    return f"{role.name.lower()}@{subscription.name.lower()}.example"


def _browser(contoso: Contoso, role: Role) -> Client:
    """Return a browser in which a person of the role has signed in with a password just now."""
    name = _address(contoso.subscription, role)
    account, client = make_admin(contoso.subscription, name, role=role), Client()
    assert account.user is not None
    client.force_login(account.user)
    session = client.session
    later = time.time() + timedelta(hours=1).total_seconds()
    session["account_authentication_methods"] = [{"method": "password", "at": later}]
    session["account_authentication_methods_user"] = str(account.user.pk)
    session.save()
    return client
