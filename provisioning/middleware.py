"""What every request gets: an id, which its log lines, its audit rows and its answer carry; and nobody's rows."""

import re
import uuid
from collections.abc import Callable
from typing import Any, Final

import structlog
from django.http import HttpRequest, HttpResponse

from provisioning import tenancy

HEADER: Final = "X-Request-ID"
_TOKENS: Final = "/oauth/"
_ACCEPTED: Final = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")


class RequestIdMiddleware:
    """Set ``request.request_id``, from the caller's ``X-Request-ID`` when that is harmless, and echo it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        request_id = given if _ACCEPTED.match(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response[HEADER] = request_id
        return response


class ScopeMiddleware:
    """Let a request touch no subscription's rows until its view enters one (``requires``, ``scim.views.base``).

    Views without a permission stand above subscriptions: signing in finds out which one a person may enter, and the
    token endpoint which one a client belongs to. The tests list them, each with its reason.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        above = request.path_info.startswith(_TOKENS)
        with tenancy.everybody() if above else tenancy.nobody():
            return self.get_response(request)

    def process_view(self, _request: HttpRequest, view: Callable[..., Any], *_: Any) -> None:
        if not hasattr(view, "permission"):
            tenancy.enter_everybody()
