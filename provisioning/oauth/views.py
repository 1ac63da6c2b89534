"""``POST /oauth/token`` (3-scim §3.1)."""

import json
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from oauth2_provider.views import TokenView

_UNREADABLE = (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError, ValueError)


class RequestUnclear(Exception):
    """What was sent cannot be taken for one request; the message has no quotes (RFC 6749 §5.2)."""


class ClientCredentialsTokenView(TokenView):  # type: ignore[misc]
    """django-oauth-toolkit's token endpoint, for client credentials only; errors by RFC 6749 §5.2."""

    http_method_names = ("post", "options")

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        try:
            request.POST = _given(request)  # type: ignore[assignment]
        except RequestUnclear as error:
            return _refusal(error)
        _, headers, body, status = self.create_token_response(request)
        if status == 401:  # noqa: PLR2004
            headers["WWW-Authenticate"] = 'Basic realm="mfmanage"'
        return HttpResponse(body, status=status, headers=headers)


def _given(request: HttpRequest) -> QueryDict:
    """Return the parameters that have a value: one without counts as omitted (RFC 6749 §3.2).

    Raises ``RequestUnclear`` for a body that cannot be read, a parameter that stands twice, and one in the address.
    """
    if request.META.get("QUERY_STRING"):
        raise RequestUnclear("Send the parameters in the body, not in the address.")
    try:
        sent = dict(request.POST.lists())
    except _UNREADABLE as error:
        raise RequestUnclear("The body cannot be read. Send application/x-www-form-urlencoded.") from error
    if any(len(values) > 1 for values in sent.values()):
        raise RequestUnclear("Send each parameter once.")
    given = QueryDict(mutable=True)
    given.update({name: values[0] for name, values in sent.items() if values[0]})
    return given


def _refusal(error: RequestUnclear) -> HttpResponse:
    body = json.dumps({"error": "invalid_request", "error_description": str(error)})
    uncached = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return HttpResponse(body, "application/json", 400, headers=uncached)
