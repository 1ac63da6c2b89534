"""``POST /oauth/token`` (3-scim §3.1)."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from oauth2_provider.views import TokenView


class ClientCredentialsTokenView(TokenView):  # type: ignore[misc]
    """django-oauth-toolkit's token endpoint; a refused client is challenged with Basic (RFC 6749 §5.2)."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post(request, *args, **kwargs)
        if response.status_code == 401:  # noqa: PLR2004
            response["WWW-Authenticate"] = 'Basic realm="mfmanage"'
        return response
