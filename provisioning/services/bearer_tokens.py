"""Long-lived bearer tokens, for identity providers that know no OAuth (1-product §1.2, rule 3; scim-cases A-1)."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from provisioning.actor import Actor
from provisioning.models import BearerToken, ProvisioningConfiguration
from provisioning.services import access, peppers
from provisioning.services.configurations import ConfigurationDeleted, record_deed
from provisioning.services.secrets import LIFETIME, LONGEST_LIFETIME, LifetimeTooLong, make_secret

PREFIX: Final = "mfmt_"
MOST: Final = 2
"""How many live ones a configuration has at most: the one in use, and the one that is to replace it."""


class KindHasNone(Exception):
    """The kind of configuration gets its tokens elsewhere."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        super().__init__(
            f"“{configuration.name}” is of the kind “{configuration.get_kind_display()}”, which has no bearer tokens. "
            "They are for “Other SCIM provider”."
        )


class TooManyTokens(Exception):
    """There are as many live tokens as there can be."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        super().__init__(
            f"“{configuration.name}” has two valid bearer tokens already. Revoke the one that the identity provider "
            "does not use any more, then create another one."
        )


class AlreadyShown(Exception):
    """The form has made its token already, which was shown then."""

    def __init__(self) -> None:
        super().__init__(
            "The bearer token was already shown, when it was made. It cannot be shown again: if you have not stored "
            "it, revoke it and create another one."
        )


class TokenEnded(Exception):
    """There is no such live token."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        super().__init__(f"That bearer token of “{configuration.name}” is not valid any more, so nothing was done.")


REFUSALS: Final = (KindHasNone, TooManyTokens, AlreadyShown, TokenEnded, LifetimeTooLong, ConfigurationDeleted)
"""Everything that the deeds of this module raise; each is a sentence for the person who asked."""


def live(configuration: ProvisioningConfiguration, *, at: datetime) -> list[BearerToken]:
    """Return the live tokens, the newest first."""
    rows = BearerToken.objects.filter(configuration=configuration, revoked_at=None, expires_at__gt=at)
    return list(rows.order_by("-pk"))


def unreplaced(*, at: datetime) -> QuerySet[BearerToken]:
    """Return the live tokens of everybody, but for those in whose place another one is used that lives for longer."""
    rows = BearerToken.objects.filter(revoked_at=None, expires_at__gt=at)
    others = rows.filter(
        configuration=OuterRef("configuration"),
        expires_at__gt=OuterRef("expires_at"),
        last_used_at__gte=Coalesce(OuterRef("last_used_at"), OuterRef("created_at")),
    )
    return rows.filter(~Exists(others))


def matching_token(*, configuration: ProvisioningConfiguration, token: str, at: datetime) -> BearerToken | None:
    """Return the live token of the configuration that this is, or None."""
    digests = set(peppers.digests(token).values())
    return next((one for one in live(configuration, at=at) if one.digest in digests), None)


def check_create(configuration: ProvisioningConfiguration, *, form_id: UUID | None, at: datetime) -> None:
    """Raise ``KindHasNone``, ``AlreadyShown`` or ``TooManyTokens`` when there can be no other token."""
    if configuration.kind != ProvisioningConfiguration.Kind.OTHER:
        raise KindHasNone(configuration)
    if form_id is not None and BearerToken.objects.filter(form_id=form_id).exists():
        raise AlreadyShown
    if len(live(configuration, at=at)) >= MOST:
        raise TooManyTokens(configuration)


@transaction.atomic
def create_token(
    *,
    configuration: ProvisioningConfiguration,
    lifetime: timedelta = LIFETIME,
    form_id: UUID | None = None,
    actor: Actor,
    at: datetime,
) -> str:
    """Return a new bearer token, the only time that anybody sees it.

    Raises ``KindHasNone``, ``AlreadyShown`` for a ``form_id`` that has made one, ``TooManyTokens``, ``LifetimeTooLong``
    and ``ConfigurationDeleted``.
    """
    found = _locked(configuration)
    check_create(found, form_id=form_id, at=at)
    if not timedelta(0) < lifetime <= LONGEST_LIFETIME:
        raise LifetimeTooLong
    token = make_secret(PREFIX)
    made = BearerToken.objects.create(
        configuration=found,
        digest=peppers.digest(token),
        last_four=token[-4:],
        created_at=at,
        expires_at=at + lifetime,
        form_id=form_id,
    )
    changes = {"bearer_token": [None, str(made)], "expires_at": [None, made.expires_at.isoformat()]}
    record_deed(found, "create bearer token", actor, at, changes)
    return token


@transaction.atomic
def revoke_token(*, configuration: ProvisioningConfiguration, token_id: int, actor: Actor, at: datetime) -> None:
    """Let one live token open nothing any more, not even for a call that is on its way. Raises ``TokenEnded``."""
    found = access.locked(configuration)
    ended = next((token for token in live(found, at=at) if token.pk == token_id), None)
    if ended is None:
        raise TokenEnded(found)
    BearerToken.objects.filter(pk=token_id).update(revoked_at=at)
    access.end_calls(found)
    record_deed(found, "revoke bearer token", actor, at, {"bearer_token": [str(ended), None]})


def _locked(configuration: ProvisioningConfiguration) -> ProvisioningConfiguration:
    """Return the row as it is, locked, so that deeds follow each other. Raises ``ConfigurationDeleted``."""
    rows = ProvisioningConfiguration.objects.select_for_update(of=("self",), no_key=True)
    found = rows.get(pk=configuration.pk)
    if found.deleted_at is not None:
        raise ConfigurationDeleted(found)
    return found
