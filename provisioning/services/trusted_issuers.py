"""Deeds on whose signed tokens open a configuration; ``trust`` says what can be trusted."""

from datetime import datetime
from typing import Final

from django.db import transaction

from provisioning.actor import Actor
from provisioning.models import ProvisioningConfiguration
from provisioning.services import access, trust
from provisioning.services.configurations import ConfigurationDeleted, record_deed
from provisioning.services.trust import Trusted

REFUSALS: Final = (trust.BadDirectory, trust.BadIssuer, ConfigurationDeleted)
"""Everything that the deeds of this module raise; each is a sentence for the person who asked."""


@transaction.atomic
def trust_issuer(
    *, configuration: ProvisioningConfiguration, issuer: str, subject: str, audience: str, actor: Actor, at: datetime
) -> None:
    """Let the issuer's tokens in, instead of those that were trusted before, and of what was given out for them.

    A classic configuration takes a tenant ID as its issuer: Entra's own tokens then open its Tenant URL. Any other kind
    takes assertions at the token endpoint. What is so already is no deed.
    Raises ``BadDirectory``, ``BadIssuer`` and ``ConfigurationDeleted``.
    """
    found = _locked(configuration)
    if found.kind == ProvisioningConfiguration.Kind.CLASSIC:
        trusted = trust.of_tenant(issuer, audience=audience, subject=subject)
    else:
        trusted = trust.of_issuer(issuer, subject=subject, audience=audience, directory=found.directory)
    _change(found, trusted, "trust issuer", actor, at)


@transaction.atomic
def distrust_issuer(*, configuration: ProvisioningConfiguration, actor: Actor, at: datetime) -> None:
    """Let no tokens of another issuer in any more, nor those that came by them. Raises ``ConfigurationDeleted``."""
    found = _locked(configuration)
    _change(found, Trusted(directory=found.directory), "end trust in issuer", actor, at)


def _change(found: ProvisioningConfiguration, trusted: Trusted, deed: str, actor: Actor, at: datetime) -> None:
    """Which token came by which issuer is not known, so all end: who has a right to one gets a new one at once."""
    wanted = trusted._asdict()
    old = {name: getattr(found, name) for name in wanted}
    changes = {name: [old[name] or None, wanted[name] or None] for name in wanted if old[name] != wanted[name]}
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
