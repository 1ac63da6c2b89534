"""Trusted persons (1-product §1.1): who gets incident mail about one vault, or about all vaults of a subscription."""

from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from provisioning.actor import Actor
from provisioning.models import Subscription, TrustedPerson, Vault
from provisioning.services import audit
from provisioning.services.notices import announce

LONGEST_NAME: Final = 200
LONGEST_ADDRESS: Final = 254
ALL_VAULTS: Final = "All vaults"


class NotAnAddress(ValueError):
    """Mail cannot be sent to that."""

    def __init__(self, email: str) -> None:
        super().__init__(f"“{email}” is not an e-mail address. Write it like ann@contoso.com.")


class NameTooLong(ValueError):
    """The name does not fit."""

    def __init__(self) -> None:
        super().__init__(f"The name is longer than {LONGEST_NAME} characters. Shorten it.")


class AlreadyTrusted(Exception):
    """The vault, or all vaults, have a trusted person of that address."""

    def __init__(self, email: str, scope: str) -> None:
        where = "all vaults" if scope == ALL_VAULTS else f"“{scope}”"
        super().__init__(f"“{email}” is a trusted person of {where} already. Give another address.")


class TrustedPersonGone(Exception):
    """Somebody has removed the trusted person meanwhile."""

    def __init__(self) -> None:
        super().__init__("The trusted person does not exist any more. Go back to the list.")


REFUSALS: Final = (NotAnAddress, NameTooLong, AlreadyTrusted, TrustedPersonGone)


def scope_of(person: TrustedPerson) -> str:
    """Return the name of the person's vault, or that it is all of them."""
    return person.vault.name if person.vault else ALL_VAULTS


@transaction.atomic
def add_trusted_person(
    *, subscription: Subscription, vault: Vault | None, name: str, email: str, actor: Actor, at: datetime
) -> TrustedPerson:
    """Let the address get incident mail about ``vault``; None: about all vaults.

    Raises ``NotAnAddress``, ``NameTooLong`` and ``AlreadyTrusted``.
    """
    person = TrustedPerson(subscription=subscription, vault=vault, created_at=at)
    _save(person, name, email)
    added = {"email": [None, person.email], "name": [None, person.name]}
    _record(person, "add trusted person", added, actor, at)
    return person


@transaction.atomic
def change_trusted_person(*, person: TrustedPerson, name: str, email: str, actor: Actor, at: datetime) -> None:
    """Give the person another name or address; the vault stays.

    Raises ``NotAnAddress``, ``NameTooLong``, ``AlreadyTrusted`` and ``TrustedPersonGone``.
    """
    found = _locked(person)
    before = {"email": found.email, "name": found.name}
    _save(found, name, email)
    after = {"email": found.email, "name": found.name}
    changes = {field: [old, after[field]] for field, old in before.items() if old != after[field]}
    if changes:
        _record(found, "change trusted person", changes, actor, at)


@transaction.atomic
def remove_trusted_person(*, person: TrustedPerson, actor: Actor, at: datetime) -> None:
    """Send no more incident mail there, what has not gone yet included. Raises ``TrustedPersonGone``."""
    found = _locked(person)
    removed = {"email": [found.email, None], "name": [found.name, None]}
    found.delete()
    _record(found, "remove trusted person", removed, actor, at)


def _locked(person: TrustedPerson) -> TrustedPerson:
    rows = TrustedPerson.objects.select_related("vault").select_for_update(of=("self",))
    found = rows.filter(pk=person.pk).first()
    if found is None:
        raise TrustedPersonGone
    return found


def _save(person: TrustedPerson, name: str, email: str) -> None:
    person.name, person.email = name.strip(), _checked(email.strip())
    person.email_key = person.email.casefold()
    if len(person.name) > LONGEST_NAME:
        raise NameTooLong
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError as error:
        raise AlreadyTrusted(person.email, scope_of(person)) from error


def _checked(email: str) -> str:
    try:
        validate_email(email)
    except ValidationError as error:
        raise NotAnAddress(email) from error
    if len(email.casefold()) > LONGEST_ADDRESS:
        raise NotAnAddress(email)
    return email


def _record(person: TrustedPerson, action: str, changes: dict[str, Any], actor: Actor, at: datetime) -> None:
    audit.record(
        subscription_id=person.subscription_id,
        actor=actor,
        action=action,
        target=scope_of(person),
        at=at,
        changes=changes,
    )
    announce(person.subscription_id)
