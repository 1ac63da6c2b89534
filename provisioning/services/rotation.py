"""Replacing a client secret without a gap: start, then complete or cancel; and revoking one (1-product §1.2, rule 5).

A rotation runs while one secret is live and another one retires. What starts, completes or cancels one ends no token:
those live on for hours at most, and the client has nothing to mend. Revoking ends every token of the configuration.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from provisioning.actor import Actor
from provisioning.models import ClientSecret, ProvisioningConfiguration
from provisioning.services import access
from provisioning.services.configurations import ConfigurationDeleted, record_deed
from provisioning.services.secrets import LIFETIME, add_secret

OVERLAP: Final = timedelta(hours=1)
"""How long the old secret lives on unless another time is chosen."""
LONGEST_OVERLAP: Final = timedelta(hours=24)


class OverlapTooLong(Exception):
    """The old secret would live on for too long."""

    def __init__(self) -> None:
        super().__init__("The old secret can live on for 24 hours at most. Choose between 0 and 24 hours.")


class KindHasNone(Exception):
    """A classic configuration has no client secret."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        super().__init__(
            f"“{configuration.name}” is of the kind “{configuration.get_kind_display()}”, which has no client secret: "
            "Microsoft Entra calls with tokens of its own."
        )


class AlreadyShown(Exception):
    """The form has made its secret already, which was shown then."""

    def __init__(self) -> None:
        super().__init__(
            "The new client secret was already shown, when it was made. It cannot be shown again: if you have not "
            "stored it, replace it, or cancel the rotation that it belongs to and start another one."
        )


class TwoSecrets(Exception):
    """There are two live secrets, so there can be no third."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        super().__init__(
            f"“{configuration.name}” has two valid client secrets already. Complete or cancel the rotation, or revoke "
            "one of them, then start again."
        )


class NoRotation(Exception):
    """Nothing is being replaced."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        super().__init__(
            f"No client secret of “{configuration.name}” is being replaced now: the rotation is complete, or was "
            "cancelled."
        )


class SecretEnded(Exception):
    """There is no such live secret."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        super().__init__(f"That client secret of “{configuration.name}” is not valid any more, so nothing was done.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """A running rotation: ``old`` lives on until ``old.retires_at``."""

    old: ClientSecret
    new: ClientSecret


def live(configuration: ProvisioningConfiguration, *, at: datetime) -> list[ClientSecret]:
    """Return the live secrets, the newest first."""
    rows = ClientSecret.objects.filter(configuration=configuration, revoked_at=None).order_by("-pk")
    return [secret for secret in rows if secret.is_live(at)]


def rotation(secrets: list[ClientSecret]) -> Rotation | None:
    """Return the rotation that runs, given the live secrets, the newest first."""
    retiring = [secret for secret in secrets if secret.retires_at is not None]
    staying = [secret for secret in secrets if secret.retires_at is None]
    return Rotation(old=retiring[0], new=staying[0]) if retiring and staying else None


def check_start(configuration: ProvisioningConfiguration, *, form_id: UUID | None, at: datetime) -> list[ClientSecret]:
    """Return the live secret, or none, that a new one would replace.

    Raises ``KindHasNone``, ``AlreadyShown`` and ``TwoSecrets``.
    """
    if configuration.kind == ProvisioningConfiguration.Kind.CLASSIC:
        raise KindHasNone(configuration)
    if form_id is not None and ClientSecret.objects.filter(form_id=form_id).exists():
        raise AlreadyShown
    old = live(configuration, at=at)
    if len(old) > 1:
        raise TwoSecrets(configuration)
    return old


@transaction.atomic
def start_rotation(
    *,
    configuration: ProvisioningConfiguration,
    overlap: timedelta = OVERLAP,
    lifetime: timedelta = LIFETIME,
    form_id: UUID | None = None,
    actor: Actor,
    at: datetime,
) -> str:
    """Return a new secret, to be shown once; the old one lives on for ``overlap``, but never beyond its own expiry.

    Where no secret is live, as after a disconnection, the new one is the only one. Raises ``ConfigurationDeleted``,
    ``KindHasNone``, ``AlreadyShown`` for a ``form_id`` that has made one, ``TwoSecrets``, ``OverlapTooLong`` and
    ``LifetimeTooLong``.
    """
    found = _locked(configuration)
    old = check_start(found, form_id=form_id, at=at)
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise OverlapTooLong
    secret = add_secret(configuration=found, lifetime=lifetime, form_id=form_id, at=at)
    changes = {"client_secret": [_names(old), f"…{secret[-4:]}"], "expires_at": [None, (at + lifetime).isoformat()]}
    overlapping: dict[str, list[Any]] = {}
    for one in old:
        one.retires_at = min(at + overlap, one.expires_at)
        one.save(update_fields=["retires_at"])
        overlapping = {"old_secret_lives_until": [None, one.retires_at.isoformat()]}
    action = "start rotation of client secret" if old else "create client secret"
    record_deed(found, action, actor, at, changes | overlapping)
    return secret


@transaction.atomic
def complete_rotation(*, configuration: ProvisioningConfiguration, actor: Actor, at: datetime) -> None:
    """End the old secret now. Raises ``NoRotation``."""
    found, running = _running(configuration, at)
    ClientSecret.objects.filter(pk=running.old.pk).update(revoked_at=at)
    changes = {"client_secret": [_names([running.old, running.new]), _names([running.new])]}
    record_deed(found, "complete rotation of client secret", actor, at, changes)


@transaction.atomic
def cancel_rotation(*, configuration: ProvisioningConfiguration, actor: Actor, at: datetime) -> None:
    """Revoke the new secret; the old one lives on as before. Raises ``NoRotation``."""
    found, running = _running(configuration, at)
    ClientSecret.objects.filter(pk=running.new.pk).update(revoked_at=at)
    ClientSecret.objects.filter(pk=running.old.pk).update(retires_at=None)
    changes = {"client_secret": [_names([running.old, running.new]), _names([running.old])]}
    record_deed(found, "cancel rotation of client secret", actor, at, changes)


@transaction.atomic
def revoke_secret(*, configuration: ProvisioningConfiguration, secret_id: int, actor: Actor, at: datetime) -> None:
    """End one live secret and every token at once; the other secret, if there is one, lives on as if never replaced.

    Which token came by which secret is not known, so a client with the other secret asks for a new one.
    Raises ``SecretEnded``.
    """
    found = access.locked(configuration)
    secrets = live(found, at=at)
    if not any(secret.pk == secret_id for secret in secrets):
        raise SecretEnded(found)
    others = [secret for secret in secrets if secret.pk != secret_id]
    ClientSecret.objects.filter(pk=secret_id).update(revoked_at=at)
    ClientSecret.objects.filter(pk__in=[one.pk for one in others]).update(retires_at=None)
    access.end_tokens(found)
    record_deed(found, "revoke client secret", actor, at, {"client_secret": [_names(secrets), _names(others)]})


def _running(configuration: ProvisioningConfiguration, at: datetime) -> tuple[ProvisioningConfiguration, Rotation]:
    found = _locked(configuration)
    running = rotation(live(found, at=at))
    if running is None:
        raise NoRotation(found)
    return found, running


def _locked(configuration: ProvisioningConfiguration) -> ProvisioningConfiguration:
    """Return the row as it is, locked, so that deeds follow each other. Raises ``ConfigurationDeleted``."""
    rows = ProvisioningConfiguration.objects.select_for_update(of=("self",), no_key=True)
    found = rows.select_related("application").get(pk=configuration.pk)
    if found.deleted_at is not None:
        raise ConfigurationDeleted(found)
    return found


def _names(secrets: list[ClientSecret]) -> str | None:
    """Return how the audit log names secrets."""
    return ", ".join(str(secret) for secret in secrets) or None
