"""``POST /oauth/token`` (3-scim §3.1)."""

import json
import time
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone
from oauth2_provider.views import TokenView

from provisioning import tenancy
from provisioning.oauth.credentials import Credentials, client_id, credentials
from provisioning.services.refusals import record_refused_secret
from provisioning.services.throttle import Attempt, Throttle, throttle
from provisioning.services.tokens import record_refused_assertion

_UNREADABLE: Final = (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError, ValueError)
_OK, _UNAUTHORIZED, _UNAVAILABLE = 200, 401, 503
_SILENCE: Final = "30"
"""After so many seconds an issuer that did not answer is asked again."""
_UNCACHED: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class RequestUnclear(Exception):
    """What was sent cannot be taken for one request; the message has no quotes (RFC 6749 §5.2)."""


class ClientCredentialsTokenView(TokenView):  # type: ignore[misc]
    """django-oauth-toolkit's token endpoint, for client credentials only; errors by RFC 6749 §5.2."""

    http_method_names = ("post", "options")

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        try:
            request.POST = _given(request)  # type: ignore[assignment]
        except RequestUnclear as error:
            return _refusal("invalid_request", str(error), 400)
        limits, attempt = throttle(settings.TOKEN_FAILURES, settings.REDIS_URL), _attempt(request)
        if limits and (wait := limits.wait(attempt, time.time())):
            return _too_many(wait)
        _, given, body, status = self.create_token_response(request)
        # The library forgets them on what is refused only when a token is stored.
        headers = {"Content-Type": "application/json"} | _UNCACHED | given
        if status == _UNAUTHORIZED:
            headers["WWW-Authenticate"] = 'Basic realm="mfmanage"'
            return _failed(request, attempt, limits, HttpResponse(body, status=status, headers=headers))
        if status == _UNAVAILABLE:
            headers["Retry-After"] = _SILENCE
        if limits and status == _OK:
            limits.succeeded(attempt, time.time())
        return HttpResponse(body, status=status, headers=headers)


def _failed(request: HttpRequest, attempt: Attempt, limits: Throttle | None, answer: HttpResponse) -> HttpResponse:
    """Count the attempt. What is written of it is written once the answer is on its way: its time tells nothing."""
    if limits and (wait := limits.failed(attempt, time.time())):
        return _too_many(wait)
    shown = credentials(request.POST.dict(), str(request.META.get("HTTP_AUTHORIZATION") or ""))
    answer._resource_closers.append(partial(_record, shown))  # type: ignore[attr-defined]  # noqa: SLF001
    return answer


def _record(shown: Credentials) -> None:
    now = timezone.now()
    with tenancy.everybody():
        if shown.assertion:
            record_refused_assertion(client_id=shown.client_id, assertion=shown.assertion, at=now)
        elif shown.secret:
            record_refused_secret(client_id=shown.client_id, secret=shown.secret, at=now)


def _attempt(request: HttpRequest) -> Attempt:
    named = client_id(request.POST.dict(), str(request.META.get("HTTP_AUTHORIZATION") or ""))
    return Attempt(str(request.META.get("REMOTE_ADDR") or ""), named)


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


def _too_many(wait: int) -> HttpResponse:
    """Refuse whoever it is, known or not, right or wrong, by the same words (RFC 6585 §4)."""
    words = f"Too many attempts have failed. Check client ID and secret, then try again in {wait} seconds."
    answer = _refusal("temporarily_unavailable", words, 429)
    answer["Retry-After"] = str(wait)
    return answer


def _refusal(error: str, description: str, status: int) -> HttpResponse:
    body = json.dumps({"error": error, "error_description": description})
    return HttpResponse(body, "application/json", status, headers=_UNCACHED)
