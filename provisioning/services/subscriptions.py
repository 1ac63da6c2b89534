"""Subscriptions and their first admin."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from provisioning.actor import Actor
from provisioning.models import LoginAccount, Subscription, User
from provisioning.services import audit, wakes
from provisioning.services.notices import announce
from provisioning.sql import run_alone


class SubscriptionNameTaken(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(f"A subscription named “{name}” exists already. Choose another name.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """A subscription's admin; ``password`` is set only when it was made here, and is shown once."""

    account: LoginAccount
    password: str | None


@transaction.atomic
def create_subscription(*, name: str, edition: str, actor: Actor, at: datetime) -> Subscription:
    """Create a subscription without pools, admins or vaults. Raises ``SubscriptionNameTaken``."""
    try:
        with transaction.atomic():
            subscription = Subscription.objects.create(
                name=name, number=f"M-{secrets.randbelow(10**9):09d}", edition=edition, created_at=at
            )
    except IntegrityError as error:
        raise SubscriptionNameTaken(name) from error
    _audit(subscription, "create subscription", name, actor, at)
    return subscription


@transaction.atomic
def add_admin(
    *, subscription: Subscription, email: str, password: str | None, role: LoginAccount.Role, actor: Actor, at: datetime
) -> Admin:
    """Give the person of this address a manual account with ``role``; who is new to the portal gets a password."""
    user = User.objects.filter(email__iexact=email).first()
    made = None
    if user is None:
        made = password or secrets.token_urlsafe(12)
        user = User.objects.create_user(username=email, email=email, password=made)
    account = LoginAccount.objects.create(
        subscription=subscription,
        user=user,
        role=role,
        username=email,
        username_key=email.casefold(),
        full_name=user.get_full_name(),
        email=email,
        email_key=email.casefold(),
        created_at=at,
        modified_at=at,
    )
    run_alone(wakes.accounts([account.pk]))
    _audit(subscription, f"appoint {role.label}", email, actor, at)
    announce(subscription.pk)
    return Admin(account=account, password=made)


def _audit(subscription: Subscription, action: str, target: str, actor: Actor, at: datetime) -> None:
    audit.record(subscription_id=subscription.pk, actor=actor, action=action, target=target, at=at)
