"""Every SCIM error the service answers: one exception per row of RFC 7644 §3.12, tables 8 and 9.

``detail`` says in one or two sentences what is wrong and what to do; it is shown to the administrator
of the identity provider, so it never holds secrets.
"""

from typing import Any, ClassVar

ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimError(Exception):
    """An answer other than success. ``body()`` is the JSON document of RFC 7644 §3.12.

    ``retry_after`` are the seconds until the request may be repeated; what is no news leaves no row in the log.
    """

    status: ClassVar[int] = 400
    scim_type: ClassVar[str | None] = None
    default_detail: ClassVar[str] = "The request cannot be carried out."
    retry_after: int | None = None
    is_news: bool = True

    def __init__(self, detail: str = "") -> None:
        self.detail = detail or self.default_detail
        super().__init__(self.detail)

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"schemas": [ERROR_URN], "status": str(self.status)}
        if self.scim_type:
            body["scimType"] = self.scim_type
        return {**body, "detail": self.detail}


class InvalidFilter(ScimError):
    scim_type = "invalidFilter"
    default_detail = "The filter cannot be understood."


class TooMany(ScimError):
    scim_type = "tooMany"
    default_detail = "The filter matches more than can be answered. Narrow it."


class Uniqueness(ScimError):
    status = 409
    scim_type = "uniqueness"
    default_detail = "A value that must be unique is already in use."


class Mutability(ScimError):
    scim_type = "mutability"
    default_detail = "The attribute cannot be changed."


class InvalidSyntax(ScimError):
    scim_type = "invalidSyntax"
    default_detail = "The body is not a valid SCIM message."


class InvalidPath(ScimError):
    scim_type = "invalidPath"
    default_detail = "The path names nothing this resource has."


class NoTarget(ScimError):
    scim_type = "noTarget"
    default_detail = "The path matches nothing that could be changed."


class InvalidValue(ScimError):
    scim_type = "invalidValue"
    default_detail = "A required value is missing or a value does not fit its attribute."


class InvalidCursor(ScimError):
    """RFC 9865 §2.1, as the two that follow."""

    scim_type = "invalidCursor"
    default_detail = "This list has no such cursor. Begin with an empty one, then send each page's nextCursor."


class ExpiredCursor(ScimError):
    scim_type = "expiredCursor"
    default_detail = "The cursor has expired. Begin with an empty one, and ask for the next page within cursorTimeout."


class InvalidCount(ScimError):
    scim_type = "invalidCount"
    default_detail = "count must be between 0 and maxPageSize, and the same for all pages of a list."


class InvalidVersion(ScimError):
    scim_type = "invalidVers"
    default_detail = "This version of the protocol is not supported. Use /scim/v2."


class Sensitive(ScimError):
    status = 403
    scim_type = "sensitive"
    default_detail = "The request names something confidential."


class Unauthorized(ScimError):
    status = 401
    default_detail = "The bearer token is missing, unknown or expired."


class Forbidden(ScimError):
    status = 403
    default_detail = "This is not permitted."


class NotFound(ScimError):
    status = 404
    default_detail = "There is no such resource."


class MethodNotAllowed(ScimError):
    status = 405
    default_detail = "This address does not support the method."


class NotAcceptable(ScimError):
    status = 406
    default_detail = "Only application/scim+json and application/json can be answered."


class Conflict(ScimError):
    status = 409
    default_detail = "This needs something that is not there. Send what it needs first."


class PreconditionFailed(ScimError):
    status = 412
    default_detail = "The resource has changed since it was read. Read it again."


class PayloadTooLarge(ScimError):
    status = 413
    default_detail = "The request is too large. Split it."


class UnsupportedMediaType(ScimError):
    status = 415
    default_detail = "Send application/scim+json or application/json."


class TooManyRequests(ScimError):
    status = 429
    default_detail = "Too many requests. Repeat the request after the time in Retry-After."

    def __init__(self, detail: str = "", *, retry_after: int = 1, is_news: bool = True) -> None:
        super().__init__(detail)
        self.retry_after, self.is_news = retry_after, is_news


class InternalError(ScimError):
    status = 500
    default_detail = "The service failed. The request can be repeated."


class ServiceUnavailable(ScimError):
    status = 503
    default_detail = "The service cannot reach its database. Repeat the request after the time in Retry-After."
    retry_after = 10


class IssuerUnavailable(ServiceUnavailable):
    default_detail = (
        "The keys of the token's issuer cannot be read now. Repeat the request after the time in Retry-After."
    )
    retry_after = 30


class NotImplementedByService(ScimError):
    status = 501
    default_detail = "The service does not offer this."
