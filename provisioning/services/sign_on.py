"""Coming in by single sign-on: whom a subscription's identity provider speaks of, if it is anybody here (decision 24).

A known subject is its account, whatever it is called by now. Who is not known yet is the enabled account of that
username that has a role, and is bound to it for good. Nobody is made here, and an e-mail address is nobody's name.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import uuid4

from django.db.models import Q, QuerySet

from provisioning import tenancy
from provisioning.actor import Actor
from provisioning.models import LoginAccount, SignOnIdentity, SingleSignOn, User
from provisioning.permissions import Role
from provisioning.services import audit, sign_ins
from provisioning.services.id_tokens import Identity
from provisioning.services.invitations import comes_by_sign_on, connect
from provisioning.services.people import HIGH_ROLES
from provisioning.services.single_sign_on import NoSingleSignOn

_MOST_OFFERED: Final = 10
_NO_ADDRESS: Final = "single-sign-on.invalid"
"""Where the addresses of users end who have none: no mail can go there (RFC 2606 §2)."""


class NotLetIn(Exception):
    """The identity provider vouches for somebody who may not come in here; the message says why."""


class Nobody(NotLetIn):
    """No enabled account with a role is meant."""

    def __init__(self, name: str) -> None:
        called = (
            f"calls you “{name}”, but no"
            if name
            else "does not say what you are called (upn or preferred_username); no"
        )
        super().__init__(
            f"Your organization {called} enabled user of that name has a role in the portal. Ask a Subscription admin "
            "to give you one."
        )


class NotProvisioned(NotLetIn):
    """The account was made here, and nobody has said that the identity provider may let such people in."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"“{name}” was made here, not by your organization’s identity provider. Sign in with a password; or ask a "
            "Subscription admin to let such users in too, under Settings > Single sign-on."
        )


class SomebodyElse(NotLetIn):
    """The account belongs to another subject."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"“{name}” belongs to another person at your organization, who had that name before. If that is you, ask "
            "a Subscription admin to forget the old one, under Settings > Single sign-on."
        )


class Renamed(NotLetIn):
    """Who calls the SCIM service chooses names, and must not choose by them who is a Billing or Subscription admin."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The identity provider has renamed “{name}” since that user was given a role. Ask a Subscription admin to "
            "look at the user, take the role away and give it again."
        )


class OtherPerson(NotLetIn):
    """Who was to confirm that it is them is somebody else."""

    def __init__(self) -> None:
        super().__init__("Somebody else has signed in than who works here. Sign out, then come in as yourself.")


def organizations(name: str) -> list[SingleSignOn]:
    """Return the single sign-ons of subscriptions in which people of the name's domain have a role.

    The domain decides alone, so that nobody learns whether just this person is known.
    """
    _, at, domain = name.strip().casefold().rpartition("@")
    if not at or not domain:
        return []
    ending = f"@{domain}"
    of_domain = Q(username_key__endswith=ending) | Q(email_key__endswith=ending)
    with tenancy.everybody():
        people = LoginAccount.objects.filter(
            of_domain, is_enabled=True, role__gt=Role.NO_ROLE, subscription__single_sign_on__is_enabled=True
        )
        rows = SingleSignOn.objects.filter(subscription__in=people.values("subscription"))
        return list(rows.select_related("subscription").order_by("subscription__name")[:_MOST_OFFERED])


def sign_on(
    *, subscription_id: int, identity: Identity, enter: Callable[[LoginAccount], None], actor: Actor, at: datetime
) -> LoginAccount:
    """Let the person in by ``enter``, which writes the session. Raises ``NotLetIn``, ``NoSingleSignOn``, ``NoRole``.

    Whoever ends single sign-on meanwhile waits for the session and ends it, or is waited for.
    """
    with tenancy.of(subscription_id), audit.recorded_last():
        row = _locked(subscription_id, identity)
        account = _known(row, identity) or _bound(row, identity, actor, at)
        sign_ins.sign_in(
            user=_user(account),
            how="single sign-on",
            enter=lambda: enter(account),
            only=account.pk,
            actor=actor,
            at=at,
        )
    return account


def confirm(*, subscription_id: int, identity: Identity, account_id: int | None) -> None:
    """Accept that who has signed in again is who works here. Raises ``NotLetIn`` and ``NoSingleSignOn``."""
    with tenancy.of(subscription_id), audit.recorded_last():
        account = _known(_locked(subscription_id, identity), identity)
    if account is None or account.pk != account_id:
        raise OtherPerson


def needs_role_again(account: LoginAccount) -> bool:
    """Return whether single sign-on waits for somebody to give the account's role to its new name (``Renamed``)."""
    if not _is_renamed_admin(account) or SignOnIdentity.objects.filter(account=account).exists():
        return False
    return comes_by_sign_on(account)


def _is_renamed_admin(account: LoginAccount) -> bool:
    return account.role in HIGH_ROLES and account.username_key != account.role_username_key


def _locked(subscription_id: int, identity: Identity) -> SingleSignOn:
    """Return the row, held, if it still is what the identity came by. Raises ``NoSingleSignOn``."""
    rows = SingleSignOn.objects.select_for_update().filter(subscription=subscription_id, is_enabled=True)
    row = rows.filter(issuer=identity.issuer, client_id=identity.client_id).first()
    if row is None:
        raise NoSingleSignOn
    return row


def _known(row: SingleSignOn, identity: Identity) -> LoginAccount | None:
    """Return the account of a subject that came in before. Raises ``Nobody`` when it may not come in any more."""
    found = SignOnIdentity.objects.filter(single_sign_on=row, subject=identity.subject).first()
    if found is None:
        return None
    return _checked(_held(row).filter(pk=found.account_id).first(), identity.username)


def _bound(row: SingleSignOn, identity: Identity, actor: Actor, at: datetime) -> LoginAccount:
    """Return the account of the username, which is the subject's from now on. Raises ``NotLetIn``."""
    key = identity.username.casefold()
    account = _checked(_held(row).filter(username_key=key).first() if key else None, identity.username)
    if SignOnIdentity.objects.filter(account=account).exists():
        raise SomebodyElse(account.username)
    if _is_renamed_admin(account):
        raise Renamed(account.username)
    if account.configuration_id is None and not row.admits_manual_accounts:
        raise NotProvisioned(account.username)
    SignOnIdentity.objects.create(single_sign_on=row, account=account, subject=identity.subject, bound_at=at)
    audit.record(
        subscription_id=row.subscription_id,
        actor=replace(actor, name=account.username, role=Role(account.role).label),
        action="bind single sign-on",
        target=account.username,
        at=at,
        changes={"subject": [None, identity.subject]},
    )
    return account


def _held(row: SingleSignOn) -> QuerySet[LoginAccount]:
    """Return the persons of the subscription, each held as it is read."""
    rows = LoginAccount.objects.defer("document", "search").select_for_update(of=("self",))
    return rows.filter(subscription=row.subscription_id, kind=LoginAccount.Kind.PERSON)


def _checked(account: LoginAccount | None, name: str) -> LoginAccount:
    """Return an account that may come in. Raises ``Nobody``."""
    if account is None or not account.is_enabled or account.role == Role.NO_ROLE:
        raise Nobody(name)
    return account


def _user(account: LoginAccount) -> User:
    """Return the portal user of the account, made if there is none yet; it has no password."""
    if account.user is None:
        connect(account)
        if account.user is None:
            account.user = _nameless(account)
        account.save(update_fields=["user"])
    return account.user


def _nameless(account: LoginAccount) -> User:
    """Make a user for an account that has no e-mail address."""
    name = f"person-{uuid4().hex}"
    user = User(username=name, email=f"{name}@{_NO_ADDRESS}", full_name=account.full_name[:200])
    user.set_unusable_password()
    user.save()
    return user
