"""Deeds on the identity provider by which people of a subscription sign in, and on who they are there (decision 24)."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import transaction

from provisioning import hosts
from provisioning.actor import Actor
from provisioning.models import LoginAccount, PortalSession, SignOnIdentity, SingleSignOn, Subscription
from provisioning.sealing import seal, unseal
from provisioning.services import audit, issuers
from provisioning.services.openid_provider import Client, providers

_LONGEST: Final = 255
_LONGEST_SECRET: Final = 1_000


class BadSingleSignOn(ValueError):
    """A value that ``field`` cannot have; the sentence says what to do."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)


class NoSingleSignOn(Exception):
    """The subscription has no single sign-on, or it is switched off."""

    def __init__(self) -> None:
        super().__init__("There is no single sign-on at this address. Check the address, or ask an admin for it.")


class IdentityGone(Exception):
    """Somebody has forgotten the identity meanwhile."""

    def __init__(self) -> None:
        super().__init__("Nothing is known of this person’s single sign-on any more.")


class Wanted(NamedTuple):
    """What an admin may say of single sign-on; an empty secret: the one that is there stays."""

    issuer: str
    client_id: str
    client_secret: str
    is_enabled: bool = True
    admits_manual_accounts: bool = False


@transaction.atomic
def set_single_sign_on(*, subscription: Subscription, wanted: Wanted, actor: Actor, at: datetime) -> set[str]:
    """Let people sign in by this provider, and return the fields that are other ones now; none is no deed.

    Another issuer or client ID makes other subjects: everybody is bound anew. Sessions that came by what does not hold
    any more end. Raises ``BadSingleSignOn``.
    """
    SingleSignOn.objects.get_or_create(
        subscription=subscription, defaults={"is_enabled": False, "changed_at": at, "client_secret": ""}
    )
    row = SingleSignOn.objects.select_for_update().get(subscription=subscription)
    changes = _changes(row, check(row, wanted))
    if not changes:
        return set()
    for field in changes:
        value = getattr(wanted, field)
        setattr(row, field, seal(value, purpose=_purpose(row)) if field == "client_secret" else value)
    row.changed_at = at
    row.save()
    _end(row, set(changes))
    providers.forget(row.issuer)
    if "client_secret" in changes:
        changes["client_secret"] = [None, "replaced"]
    _audit(subscription, "set single sign-on", actor, at, changes)
    return set(changes)


@transaction.atomic
def remove_single_sign_on(*, subscription: Subscription, actor: Actor, at: datetime) -> None:
    """Let nobody in by the provider any more, and forget who is who there. Raises ``NoSingleSignOn``."""
    row = SingleSignOn.objects.select_for_update().filter(subscription=subscription).first()
    if row is None:
        raise NoSingleSignOn
    row.delete()
    PortalSession.objects.filter(account__subscription=subscription).delete()
    _audit(subscription, "remove single sign-on", actor, at, {"issuer": [row.issuer, None]})


@transaction.atomic
def forget_identity(*, identity: SignOnIdentity, actor: Actor, at: datetime) -> None:
    """Let the next who comes with the account's username be its person; the sessions of the last one end.

    Raises ``IdentityGone``.
    """
    SingleSignOn.objects.select_for_update().filter(pk=identity.single_sign_on_id).first()
    found = SignOnIdentity.objects.select_related("account").filter(pk=identity.pk).first()
    if found is None:
        raise IdentityGone
    found.delete()
    PortalSession.objects.filter(account=found.account_id).delete()
    audit.record(
        subscription_id=found.subscription_id,
        actor=actor,
        action="forget single sign-on",
        target=found.account.username,
        at=at,
        changes={"subject": [found.subject, None]},
    )


def check(row: SingleSignOn | None, wanted: Wanted) -> Wanted:
    """Accept what is wanted. Raises ``BadSingleSignOn``."""
    for field, longest in (("issuer", _LONGEST), ("client_id", _LONGEST), ("client_secret", _LONGEST_SECRET)):
        text = getattr(wanted, field)
        if len(text) > longest or not text.isprintable() or text != text.strip():
            raise BadSingleSignOn(field, "It is too long, or has spaces or characters that cannot be printed.")
    if not hosts.is_safe(wanted.issuer):
        raise BadSingleSignOn("issuer", "Enter the issuer as its discovery names it: an address with https://.")
    if not issuers.is_allowed(wanted.issuer):
        raise BadSingleSignOn(
            "issuer",
            "This installation trusts no issuers of that host. Ask its operator to add the host to "
            "MFMANAGE_ISSUER_HOSTS.",
        )
    if not wanted.client_id:
        raise BadSingleSignOn("client_id", "Enter the client ID that the identity provider gave this application.")
    if not wanted.client_secret and (row is None or not row.client_secret or row.issuer != wanted.issuer):
        raise BadSingleSignOn("client_secret", "Enter the client secret; another issuer never gets to see an old one.")
    return wanted


def enabled(number: str) -> SingleSignOn:
    """Return the single sign-on of the subscription of that number. Raises ``NoSingleSignOn``."""
    rows = SingleSignOn.objects.select_related("subscription")
    found = rows.filter(subscription__number=number, is_enabled=True).first()
    if found is None:
        raise NoSingleSignOn
    return found


def of_account(account_id: int | None) -> SingleSignOn | None:
    """Return the single sign-on of the account's subscription."""
    accounts = LoginAccount.objects.filter(pk__in=[account_id])
    rows = SingleSignOn.objects.filter(subscription__in=accounts.values("subscription"))
    return rows.select_related("subscription").first()


def client_of(row: SingleSignOn) -> Client:
    """Return who we are to the provider. Raises ``sealing.Unreadable``."""
    return Client(
        client_id=row.client_id,
        client_secret=unseal(row.client_secret, purpose=_purpose(row)),
        redirect_uri=redirect_uri(row.subscription),
    )


def sign_in_address(subscription: Subscription) -> str:
    """Return where people of the subscription begin."""
    return f"{settings.BASE_URL}/sign-in/{subscription.number}/"


def redirect_uri(subscription: Subscription) -> str:
    """Return where the provider sends people back to; each subscription has its own (RFC 9700 §4.4.2)."""
    return f"{sign_in_address(subscription)}callback/"


def _changes(row: SingleSignOn, wanted: Wanted) -> dict[str, list[Any]]:
    """Return what would be another value; of the secret only that it is one."""
    fields = wanted._asdict()
    secret = fields.pop("client_secret")
    changes = {
        name: [getattr(row, name) or None, value] for name, value in fields.items() if getattr(row, name) != value
    }
    return changes | ({"client_secret": [None, None]} if secret else {})


def _end(row: SingleSignOn, changed: set[str]) -> None:
    """End the sessions that came by what was changed, and forget subjects that mean somebody else now."""
    if changed & {"issuer", "client_id"}:
        row.identities.all().delete()
    elif "admits_manual_accounts" in changed and not row.admits_manual_accounts:
        row.identities.filter(account__configuration=None).delete()
    if changed - {"client_secret"}:
        PortalSession.objects.filter(account__subscription=row.subscription_id).delete()


def _purpose(row: SingleSignOn) -> str:
    """A secret that is copied to another subscription's row cannot be read there."""
    return f"single sign-on of {row.subscription_id}"


def _audit(subscription: Subscription, action: str, actor: Actor, at: datetime, changes: dict[str, list[Any]]) -> None:
    audit.record(
        subscription_id=subscription.pk,
        actor=actor,
        action=action,
        target=subscription.name,
        at=at,
        changes=changes,
    )
