"""What browsers need and Django has no setting for, and a short way past it for machines.

What browsers need would cost the calls of machines a quarter of the server's time.
"""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import resolve

from provisioning.user_rows import MOST_BYTES
from scim.errors import InvalidSyntax
from scim.http import ScimResponse

_MACHINES: Final = ("/scim/", "/oauth/")
_BODILESS: Final = frozenset({204, 304})
_PLAIN: Final = "Use https: what came over plain http may have been read on its way. Replace the secret or token."
_HOST: Final = "The Host header names another installation."
_UNUSED: Final = (
    "accelerometer",
    "camera",
    "display-capture",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
PERMISSIONS_POLICY: Final = ", ".join(f"{feature}=()" for feature in _UNUSED)
"""No page uses anything of the browser's but the clipboard (W3C Permissions Policy §9)."""
MOST_UPLOADED: Final = MOST_BYTES + 1024 * 1024
"""The longest body of a form with a file, in bytes; its view says how long the file itself may be."""


class MachineMiddleware:
    """Call the views of SCIM and of the token endpoint at once, past the middleware that follows.

    They know no session, cookie, form, message or page. Request id, TLS and log stay: what comes before this and
    Django's handler see to them. Here are the host check and the headers that the rest would have given.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(_MACHINES):
            return self.get_response(request)
        response = _answer(request)
        response.headers["X-Frame-Options"] = settings.X_FRAME_OPTIONS
        response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        if response.status_code not in _BODILESS and "Content-Length" not in response.headers:
            response.headers["Content-Length"] = str(len(response.content))
        return response


def _answer(request: HttpRequest) -> HttpResponse:
    try:
        request.get_host()
    except DisallowedHost:
        return _refusal(request, _HOST)
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        return _refusal(request, _PLAIN)
    match = request.resolver_match = resolve(request.path_info)
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return response


def _refusal(request: HttpRequest, detail: str) -> HttpResponse:
    """Refuse in the caller's language: RFC 7644 §3.12, or RFC 6749 §5.2."""
    if request.path_info.startswith("/scim/"):
        return ScimResponse(InvalidSyntax(detail).body(), InvalidSyntax.status)
    uncached = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return JsonResponse({"error": "invalid_request", "error_description": detail}, status=400, headers=uncached)


class PageHeadersMiddleware:
    """Let nobody keep an answer that does not say otherwise, and let no page use what it does not need."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class BodySizeMiddleware:
    """Refuse a body that no form of ours can have before a byte of it is read or kept in a file.

    A body without a length is empty for Django, so its length is always known here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        has_file = request.content_type == "multipart/form-data"
        most = MOST_UPLOADED if has_file else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if _length(request) > most:
            return render(request, "413.html", {"megabytes": most // 1024**2}, status=413)
        return self.get_response(request)


def _length(request: HttpRequest) -> int:
    """Return what Django will read at most; what is no number is none for it, too."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
