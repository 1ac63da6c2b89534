"""From what a service or the framework raised to the error that is answered, and to its row in the log."""

import logging

from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, InterfaceError, OperationalError

from provisioning.services.access import AccessEnded
from provisioning.services.accounts import AccountNotFound, ExternalIdTaken, UsernameTaken
from provisioning.services.calls import Call, VersionRefused, record_failure
from provisioning.services.groups import GroupExternalIdTaken, GroupNameTaken, GroupNotFound
from provisioning.services.tokens import ConfigurationPaused, IssuerSilent, TokenUnknown
from scim.errors import (
    Forbidden,
    InternalError,
    InvalidSyntax,
    IssuerUnavailable,
    NotFound,
    PreconditionFailed,
    ScimError,
    ServiceUnavailable,
    Unauthorized,
    Uniqueness,
)
from scim.schema.values import storable

_LOGGED_ID_LENGTH = 64
_LOGGED_NAME_LENGTH = 200

logger = logging.getLogger(__name__)


def scim_error(error: Exception, what: str) -> ScimError:
    """Return the SCIM error for ``error``; a fault of the service's own is written to the log with ``what`` it was."""
    if isinstance(error, ScimError):
        return error
    for cause, make in _ERRORS.items():
        if isinstance(error, cause):
            return make(str(error) if make in _TELLING else "")
    logger.error("A SCIM request failed: %s", what, exc_info=error)
    return ServiceUnavailable() if isinstance(error, OperationalError | InterfaceError) else InternalError()


def record_refusal(call: Call, error: ScimError, *, resource_id: object, resource_name: object) -> None:
    """Write the row of a refused call, now that what it did is rolled back; a broken database stops nothing."""
    if not error.is_news:
        return
    try:
        record_failure(
            call,
            status=error.status,
            detail=error.detail,
            resource_id=_loggable(resource_id, _LOGGED_ID_LENGTH),
            resource_name=_loggable(resource_name, _LOGGED_NAME_LENGTH),
        )
    except DatabaseError:
        logger.exception("A failed SCIM request could not be logged")


def _loggable(text: object, length: int) -> str:
    return text[:length] if isinstance(text, str) and storable(text) else ""


_TELLING = {Forbidden, Uniqueness}
"""Errors that pass on what the service says."""
_ERRORS: dict[type[Exception], type[ScimError]] = {
    TokenUnknown: Unauthorized,
    AccessEnded: Unauthorized,
    ConfigurationPaused: Forbidden,
    AccountNotFound: NotFound,
    GroupNotFound: NotFound,
    UsernameTaken: Uniqueness,
    ExternalIdTaken: Uniqueness,
    GroupNameTaken: Uniqueness,
    GroupExternalIdTaken: Uniqueness,
    VersionRefused: PreconditionFailed,
    IssuerSilent: IssuerUnavailable,
    SuspiciousOperation: InvalidSyntax,
}
