"""Who calls, where proxies stand in front: each adds the address that called it to ``X-Forwarded-For``.

What stands left of the trusted proxies' own additions is the caller's word, which is worth nothing.
"""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class ClientAddressMiddleware:
    """Put the caller's address where everybody reads it, ``REMOTE_ADDR`` (``MFMANAGE_TRUSTED_PROXIES``)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.TRUSTED_PROXIES:
            told = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
            found = caller(told, proxies=settings.TRUSTED_PROXIES)
            request.META["REMOTE_ADDR"] = found or request.META.get("REMOTE_ADDR", "")
        return self.get_response(request)


def caller(told: str, *, proxies: int) -> str:
    """Return the address that the outermost of so many proxies was called from, or an empty text."""
    words = [word.strip() for word in told.split(",")]
    if len(words) < proxies:
        return ""
    try:
        return str(ip_address(words[-proxies].strip("[]")))
    except ValueError:
        return ""
