"""Provisioning configurations: creating, changing settings, pausing, resuming, disconnecting (1-product §1.2)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from oauth2_provider.models import Application

from provisioning.actor import Actor
from provisioning.license_types import LicenseType
from provisioning.models import LoginAccount, ProvisioningConfiguration, Subscription, Vault
from provisioning.models.configurations import LONGEST_TOKEN_LIFETIME, SHORTEST_TOKEN_LIFETIME
from provisioning.services import access, audit
from provisioning.services.notices import announce
from provisioning.services.people import may_touch
from provisioning.services.secrets import LIFETIME, add_secret
from provisioning.services.trust import NOTHING, BadDirectory, Trusted

_Kind = ProvisioningConfiguration.Kind


class ConfigurationNameTaken(Exception):
    """The subscription has a configuration of that name, in whatever letter case."""

    def __init__(self, name: str) -> None:
        super().__init__(f"A configuration named “{name}” exists already. Choose another name.")


class UserSynchronizationOn(Exception):
    """Vaults synchronize their users themselves; ``vaults`` are their names."""

    def __init__(self, vaults: list[str]) -> None:
        self.vaults = vaults
        super().__init__(
            f"User synchronization is on in {', '.join(vaults)}. Turn it off in M-Files Admin, then try again."
        )


class EditionNotSupported(Exception):
    """The edition of the subscription has no provisioning."""

    def __init__(self) -> None:
        super().__init__(
            "Provisioning is not available in the Classic cloud edition. Move the subscription to Cloud first."
        )


class ClassicInTheWay(Exception):
    """Classic configurations may provision from the same directory; ``names`` are theirs."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        quoted = ", ".join(f"“{name}”" for name in names)
        super().__init__(
            f"{quoted} provisions the users of a directory in the classic way, and cannot be turned into an app "
            f"gallery configuration. Delete {quoted} here, and disable or delete its application in Microsoft Entra "
            "ID; then create the new configuration. If that is for another directory, enter its tenant ID."
        )


class BadTokenLifetime(ValueError):
    """Access tokens would live for a time that identity providers do not take (scim-cases A-5)."""

    def __init__(self) -> None:
        super().__init__("An access token can live for 60 minutes to 6 hours. Choose a time between them.")


class AdoptionOutOfReach(Exception):
    """Who adopts manual accounts takes over admins' accounts, too, and the actor may not touch those (decision 15)."""

    def __init__(self) -> None:
        super().__init__(
            "Only a Subscription admin can let a configuration adopt manual accounts, for it can take over an admin's "
            "account by that. Nothing was saved. Ask a Subscription admin to switch it on."
        )


class ConfigurationDeleted(Exception):
    """Somebody has deleted the configuration."""

    def __init__(self, configuration: ProvisioningConfiguration) -> None:
        super().__init__(f"“{configuration.name}” is deleted. Undo that, or create another configuration.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A new configuration and its client secret in clear, to be shown once; a classic one has none."""

    configuration: ProvisioningConfiguration
    client_secret: str


class Settings(NamedTuple):
    """How a configuration answers its identity provider; ``ProvisioningConfiguration`` says what each means."""

    adopts_manual_accounts: bool = False
    user_patch_status: int = ProvisioningConfiguration.UserPatchStatus.CONTENT
    accepts_bare_tokens: bool = False
    token_lifetime: int = SHORTEST_TOKEN_LIFETIME


USUAL_SETTINGS: Final = Settings()


def settings_of(configuration: ProvisioningConfiguration) -> Settings:
    return Settings(*(getattr(configuration, name) for name in Settings._fields))


def create_configuration(
    *,
    subscription: Subscription,
    name: str,
    kind: ProvisioningConfiguration.Kind,
    default_license_type: LicenseType,
    settings: Settings = USUAL_SETTINGS,
    trusted: Trusted = NOTHING,
    secret_lifetime: timedelta = LIFETIME,
    form_id: UUID | None = None,
    actor: Actor,
    at: datetime,
) -> Credentials:
    """Create a configuration with its OAuth client and first secret, which remembers the form that asked for it.

    A classic one has no secret, and needs a tenant to trust. Raises ``EditionNotSupported``, ``UserSynchronizationOn``,
    ``ConfigurationNameTaken``, ``ClassicInTheWay``, ``LifetimeTooLong``, ``BadTokenLifetime``, ``BadDirectory`` and
    ``AdoptionOutOfReach``.
    """
    is_classic, secret = kind == _Kind.CLASSIC, ""
    if is_classic and not trusted.issuer:
        raise BadDirectory(trusted.directory)
    _check(USUAL_SETTINGS, settings, actor)
    check_provisioning_allowed(subscription)
    try:
        with transaction.atomic():
            if kind == _Kind.GALLERY:
                _refuse_beside_classic(subscription, trusted.directory)
            configuration = ProvisioningConfiguration.objects.create(
                subscription=subscription,
                application=_client(name),
                name=name,
                kind=kind,
                default_license_type=default_license_type,
                created_at=at,
                **settings._asdict(),
                **trusted._asdict(),
            )
            if not is_classic:
                secret = add_secret(configuration=configuration, lifetime=secret_lifetime, form_id=form_id, at=at)
            changes = {"kind": [None, kind.value], "default_license_type": [None, default_license_type.slug]}
            changes |= _changed(USUAL_SETTINGS, settings) | _named(trusted)
            record_deed(configuration, "create configuration", actor, at, changes)
    except IntegrityError as error:
        raise ConfigurationNameTaken(name) from error
    return Credentials(configuration=configuration, client_secret=secret)


def _refuse_beside_classic(subscription: Subscription, directory: str) -> None:
    """Raise ``ClassicInTheWay`` when a classic configuration is there, unless another directory's (decision 22)."""
    rows = ProvisioningConfiguration.objects.filter(subscription=subscription, kind=_Kind.CLASSIC, deleted_at=None)
    if directory:
        rows = rows.filter(directory=directory)
    if names := list(rows.order_by("name").values_list("name", flat=True)):
        raise ClassicInTheWay(names)


def check_provisioning_allowed(subscription: Subscription) -> None:
    """Raise ``EditionNotSupported`` or ``UserSynchronizationOn`` when the subscription can have no configuration."""
    if subscription.edition == Subscription.Edition.CLASSIC_CLOUD:
        raise EditionNotSupported
    in_the_way = Vault.objects.filter(subscription=subscription, user_synchronization=True)
    if names := list(in_the_way.order_by("name").values_list("name", flat=True)):
        raise UserSynchronizationOn(names)


@transaction.atomic
def change_settings(
    *, configuration: ProvisioningConfiguration, settings: Settings, actor: Actor, at: datetime
) -> None:
    """Let the configuration answer otherwise from its next call on; settings that it has already are no deed.

    Raises ``BadTokenLifetime`` and ``AdoptionOutOfReach``.
    """
    rows = ProvisioningConfiguration.objects.select_for_update(of=("self",)).filter(pk=configuration.pk)
    old = settings_of(rows.get())
    _check(old, settings, actor)
    if changes := _changed(old, settings):
        rows.update(**settings._asdict())
        record_deed(configuration, "change settings of configuration", actor, at, changes)


@transaction.atomic
def set_default_license(
    *, configuration: ProvisioningConfiguration, license_type: LicenseType, actor: Actor, at: datetime
) -> None:
    """Let users of the configuration want ``license_type`` first; workers look at each of them again.

    A type that it is already is no deed. Raises ``ConfigurationDeleted``.
    """
    rows = ProvisioningConfiguration.objects.select_for_update(of=("self",), no_key=True).filter(pk=configuration.pk)
    found = rows.get()
    if found.deleted_at is not None:
        raise ConfigurationDeleted(found)
    old = LicenseType(found.default_license_type)
    if old == license_type:
        return
    rows.update(default_license_type=license_type, generation=F("generation") + 1)
    changes = {"default_license_type": [old.slug, license_type.slug]}
    record_deed(found, "set default license type of configuration", actor, at, changes)
    announce(found.subscription_id)


@transaction.atomic
def pause_configuration(*, configuration: ProvisioningConfiguration, actor: Actor, at: datetime) -> None:
    """Make the SCIM service answer 403, and issue no token, until the configuration is resumed; everything is kept.

    One that is paused already is no deed. Raises ``ConfigurationDeleted``.
    """
    found = _open(configuration)
    if found.paused_at is None:
        ProvisioningConfiguration.objects.filter(pk=found.pk).update(paused_at=at)
        access.end_calls(found)
        record_deed(found, "pause configuration", actor, at, {})


@transaction.atomic
def resume_configuration(*, configuration: ProvisioningConfiguration, actor: Actor, at: datetime) -> None:
    """Let the identity provider call again. One that is not paused is no deed. Raises ``ConfigurationDeleted``."""
    found = _open(configuration)
    if found.paused_at is not None:
        ProvisioningConfiguration.objects.filter(pk=found.pk).update(paused_at=None)
        record_deed(found, "resume configuration", actor, at, {})
        announce(found.subscription_id)


@transaction.atomic
def disconnect_configuration(*, configuration: ProvisioningConfiguration, actor: Actor, at: datetime) -> int:
    """Revoke all secrets and tokens at once; users, groups and links stay, and a new secret connects it again.

    Returns how many live secrets were revoked. Raises ``ConfigurationDeleted``.
    """
    found = _open(configuration)
    ended = access.end_access(found, at=at)
    changes: dict[str, list[Any]] = {"client_secret": [", ".join(ended.client_secrets) or None, None]}
    besides = {"bearer_token": ", ".join(ended.bearer_tokens), "issuer": ended.issuer}
    changes |= {name: [was, None] for name, was in besides.items() if was}
    record_deed(found, "disconnect configuration", actor, at, changes)
    return len(ended.client_secrets)


def _open(configuration: ProvisioningConfiguration) -> ProvisioningConfiguration:
    """Return the row, with the lock that no call passes. Raises ``ConfigurationDeleted``."""
    found = access.locked(configuration)
    if found.deleted_at is not None:
        raise ConfigurationDeleted(found)
    return found


def _check(old: Settings, new: Settings, actor: Actor) -> None:
    """Raise ``BadTokenLifetime``, or ``AdoptionOutOfReach`` when the actor may not switch adoption on."""
    if not SHORTEST_TOKEN_LIFETIME <= new.token_lifetime <= LONGEST_TOKEN_LIFETIME:
        raise BadTokenLifetime
    is_switched_on = new.adopts_manual_accounts and not old.adopts_manual_accounts
    if is_switched_on and not may_touch(actor, LoginAccount.Role.SUBSCRIPTION_ADMIN):
        raise AdoptionOutOfReach


def _changed(old: Settings, new: Settings) -> dict[str, list[Any]]:
    before, after = old._asdict(), new._asdict()
    return {name: [before[name], after[name]] for name in after if before[name] != after[name]}


def _named(trusted: Trusted) -> dict[str, list[Any]]:
    return {name: [None, value] for name, value in trusted._asdict().items() if value}


def _client(name: str) -> Application:
    """Make the OAuth client. Its own secret is never used: ``ClientSecret`` rows hold the digests."""
    return Application.objects.create(
        name=name,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        client_secret="",
        hash_client_secret=False,
    )


def record_deed(
    configuration: ProvisioningConfiguration,
    action: str,
    actor: Actor,
    at: datetime,
    changes: dict[str, list[Any]],
) -> None:
    """Write in the audit log what was done to the configuration."""
    audit.record(
        subscription_id=configuration.subscription_id,
        actor=actor,
        action=action,
        target=configuration.name,
        at=at,
        changes=changes,
    )
