"""Where to report what is found (RFC 9116), if the operator says so."""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

_GOOD_FOR: Final = timedelta(days=90)
"""Less than a year, so that nobody trusts an address of long ago (§2.5.5)."""


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer with the contact, and until when it is good."""
    expires = datetime.combine(timezone.now() + _GOOD_FOR, time.min, UTC)
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.BASE_URL}/.well-known/security.txt",
    ]
    return HttpResponse("".join(f"{line}\n" for line in lines), "text/plain; charset=utf-8")
