"""What fails before a view is reached fails in SCIM's words, too (RFC 7644 §3.12)."""

import re
from collections.abc import Callable
from typing import Final

import orjson
from django.http import HttpRequest, HttpResponse

from scim.errors import (
    Forbidden,
    InternalError,
    InvalidSyntax,
    InvalidVersion,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    ScimError,
)
from scim.http import MEDIA_TYPE

_ADDRESSES: Final = "/scim/"
_OTHER_VERSION: Final = re.compile(r"/scim/v(?!2/)[^/]*/", re.IGNORECASE)
_ERRORS: Final = {
    kind.status: kind for kind in (InvalidSyntax, Forbidden, NotFound, MethodNotAllowed, PayloadTooLarge, InternalError)
}


class ScimErrorMiddleware:
    """Turn pages of Django's that tell of a failure under ``/scim/`` into SCIM errors; their headers stay."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code < 400 or not request.path_info.startswith(_ADDRESSES):  # noqa: PLR2004
            return response
        if response.headers.get("Content-Type") != MEDIA_TYPE:
            _retell(response, _error(request, response.status_code), has_body=request.method != "HEAD")
        return response


def _error(request: HttpRequest, status: int) -> ScimError:
    if status == NotFound.status and _OTHER_VERSION.match(request.path_info):
        return InvalidVersion()
    return _ERRORS.get(status, InternalError if status >= InternalError.status else InvalidSyntax)()


def _retell(response: HttpResponse, error: ScimError, *, has_body: bool) -> None:
    content = orjson.dumps(error.body())
    response.status_code = error.status
    response.content = content if has_body else b""
    response["Content-Type"], response["Content-Length"] = MEDIA_TYPE, str(len(content))
