"""What a configuration can be told to trust: the tokens of an Entra tenant itself, or those of another issuer."""

from typing import Final, NamedTuple
from uuid import UUID

from provisioning import hosts
from provisioning.services import issuers
from provisioning.services.assertions import NON_GALLERY_AUDIENCE, entra_issuers

_LONGEST: Final = 255


class Trusted(NamedTuple):
    """The fields of a configuration that say where its tokens come from; an empty issuer: nowhere but from us."""

    directory: str = ""
    issuer: str = ""
    subject: str = ""
    audience: str = ""


NOTHING: Final = Trusted()


class BadDirectory(ValueError):
    """It is no Entra tenant's ID."""

    def __init__(self, text: str) -> None:
        given = f"“{text}” is no tenant ID" if text else "The tenant ID is missing"
        super().__init__(
            f"{given}. Copy it from the overview of Microsoft Entra ID; it is like "
            "aaaabbbb-0000-cccc-1111-dddd2222eeee."
        )


class BadIssuer(ValueError):
    """It is no issuer whose tokens can be trusted; ``field`` is what to change: issuer, subject or audience."""

    def __init__(self, sentence: str, field: str = "issuer") -> None:
        self.field = field
        super().__init__(sentence)


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


def of_tenant(tenant: str, *, audience: str = "", subject: str = "") -> Trusted:
    """Return trust in the tokens that Entra signs for a tenant. Raises ``BadDirectory`` and ``BadIssuer``.

    They are for ``audience``, unless given that of applications that are not of the gallery; an empty subject: anybody.
    """
    directory = directory_id(tenant)
    issuer = entra_issuers(directory)[0]
    return _checked(Trusted(directory, issuer, subject.strip(), audience.strip() or NON_GALLERY_AUDIENCE))


def of_issuer(issuer: str, *, subject: str, audience: str, directory: str = "") -> Trusted:
    """Return trust in an issuer's assertions about one subject. Raises ``BadIssuer``."""
    trusted = Trusted(directory, issuer.strip(), subject.strip(), audience.strip())
    if not trusted.subject:
        raise BadIssuer("Enter the subject of the tokens: without it, anybody at the issuer gets in.", "subject")
    if not trusted.audience:
        raise BadIssuer("Enter the audience that the tokens are for, as their claim “aud” has it.", "audience")
    return _checked(trusted)


def _checked(trusted: Trusted) -> Trusted:
    for name, value in trusted._asdict().items():
        if len(value) > _LONGEST or not value.isprintable():
            raise BadIssuer(f"The {name} is too long, or has characters that cannot be printed.", name)
    if not hosts.is_safe(trusted.issuer):
        raise BadIssuer("Enter the issuer as its tokens name it, an address that begins with https://.")
    if not issuers.is_allowed(trusted.issuer):
        raise BadIssuer(
            "This installation trusts no issuers of that host. Ask its operator to add the host to "
            "MFMANAGE_ISSUER_HOSTS."
        )
    return trusted
