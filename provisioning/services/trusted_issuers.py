"""Whose signed tokens open a configuration: any issuer's (workload identity federation), or Entra's own (classic)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from provisioning.actor import Actor
from provisioning.models import ProvisioningConfiguration
from provisioning.services import access, issuers
from provisioning.services.assertions import NON_GALLERY_AUDIENCE, Trust, entra_issuers
from provisioning.services.configurations import ConfigurationDeleted, record_deed

_NAMES: Final = ("directory", "issuer", "subject", "audience")
_LONGEST: Final = 255
_CLASSIC: Final = ProvisioningConfiguration.Kind.CLASSIC


class BadDirectory(ValueError):
    """It is no Entra tenant's ID."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"“{text}” is no tenant ID. Copy the tenant ID from the overview of Microsoft Entra ID; it is like "
            "aaaabbbb-0000-cccc-1111-dddd2222eeee."
        )


class BadIssuer(ValueError):
    """It is no issuer whose tokens can be trusted; ``field`` is what to change: issuer, subject or audience."""

    def __init__(self, sentence: str, field: str = "issuer") -> None:
        self.field = field
        super().__init__(sentence)


REFUSALS: Final = (BadDirectory, BadIssuer, ConfigurationDeleted)
"""Everything that the deeds of this module raise; each is a sentence for the person who asked."""


def directory_id(text: str) -> str:
    """Return an Entra tenant's ID, given that or the whole name of its issuer. Raises ``BadDirectory``."""
    bare = text.strip()
    for prefix in (issuers.ENTRA_STS, issuers.ENTRA):
        bare = bare.removeprefix(prefix)
    bare = bare.removesuffix("/").removesuffix("/v2.0")
    try:
        return str(UUID(bare))
    except ValueError as error:
        raise BadDirectory(text) from error


def entra_trust(directory: str, audience: str = "") -> Trust:
    """Return the trust in tokens that an Entra tenant itself signs, as a classic configuration begins with it."""
    return Trust(entra_issuers(directory), audience or NON_GALLERY_AUDIENCE)


def check_trust(trust: Trust) -> None:
    """Raise ``BadIssuer`` for what no admin may trust."""
    [issuer, *_] = trust.issuers
    values = {"issuer": issuer, "subject": trust.subject, "audience": trust.audience}
    for name, value in values.items():
        if len(value) > _LONGEST or not value.isprintable():
            raise BadIssuer(f"The {name} is too long, or has characters that cannot be printed.", name)
    if not trust.audience:
        raise BadIssuer("Enter the audience that the tokens are for, as their claim “aud” has it.", "audience")
    if not issuers.is_safe(issuer):
        raise BadIssuer("Enter the issuer as its tokens name it, an address that begins with https://.")
    if not issuers.is_allowed(issuer):
        raise BadIssuer(
            "This installation trusts no issuers of that host. Ask its operator to add the host to "
            "MFMANAGE_ISSUER_HOSTS."
        )


@transaction.atomic
def trust_issuer(
    *, configuration: ProvisioningConfiguration, issuer: str, subject: str, audience: str, actor: Actor, at: datetime
) -> None:
    """Let tokens of the issuer in, instead of those that were trusted before, and of the tokens that came by them.

    A classic configuration takes a tenant ID as its issuer; its access is Entra's own tokens, at the Tenant URL. The
    others take an assertion at the token endpoint, for which the subject is needed. What is so already is no deed.
    Raises ``BadDirectory``, ``BadIssuer`` and ``ConfigurationDeleted``.
    """
    found = _locked(configuration)
    if found.kind == _CLASSIC:
        directory = directory_id(issuer)
        trust = Trust(entra_issuers(directory), audience.strip() or NON_GALLERY_AUDIENCE, subject.strip())
    else:
        directory, trust = found.directory, Trust((issuer.strip(),), audience.strip(), subject.strip())
        if not trust.subject:
            raise BadIssuer(
                "Enter the subject of the tokens: without it, everybody at the issuer is let in.", "subject"
            )
    check_trust(trust)
    wanted = {
        "directory": directory,
        "issuer": trust.issuers[0],
        "subject": trust.subject,
        "audience": trust.audience,
    }
    _change(found, wanted, "trust issuer", actor, at)


@transaction.atomic
def distrust_issuer(*, configuration: ProvisioningConfiguration, actor: Actor, at: datetime) -> None:
    """Let no tokens of another issuer in any more, nor those that came by them. Raises ``ConfigurationDeleted``."""
    found = _locked(configuration)
    wanted = {"directory": found.directory, "issuer": "", "subject": "", "audience": ""}
    _change(found, wanted, "end trust in issuer", actor, at)


def _change(found: ProvisioningConfiguration, wanted: dict[str, str], deed: str, actor: Actor, at: datetime) -> None:
    """Which token came by which issuer is not known, so all end: who has a right to one gets a new one at once."""
    old = {name: getattr(found, name) for name in _NAMES}
    changes = {name: [old[name] or None, wanted[name] or None] for name in _NAMES if old[name] != wanted[name]}
    if not changes:
        return
    ProvisioningConfiguration.objects.filter(pk=found.pk).update(**wanted)
    if old["issuer"]:
        access.end_tokens(found)
    record_deed(found, deed, actor, at, changes)


def _locked(configuration: ProvisioningConfiguration) -> ProvisioningConfiguration:
    found = access.locked(configuration)
    if found.deleted_at is not None:
        raise ConfigurationDeleted(found)
    return found
