"""The published description of the service, for whoever asks: it holds no secret and no tenant."""

from functools import cache

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from scim.discovery import Capabilities
from scim.openapi.document import describe


@require_safe
@cache_control(public=True, max_age=3600)
def openapi(_request: HttpRequest) -> HttpResponse:
    """Answer the OpenAPI document as JSON."""
    return HttpResponse(_document(settings.BASE_URL), "application/json")


@cache
def _document(base_url: str) -> bytes:
    return orjson.dumps(describe(base_url, Capabilities()))
