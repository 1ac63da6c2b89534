"""``POST /oauth/token`` (3-scim §3.1)."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from oauth2_provider.views import TokenView


class ClientCredentialsTokenView(TokenView):  # type: ignore[misc]
    """django-oauth-toolkit's token endpoint, for client credentials only; errors by RFC 6749 §5.2."""

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        _, headers, body, status = self.create_token_response(request)
        if status == 401:  # noqa: PLR2004
            headers["WWW-Authenticate"] = 'Basic realm="mfmanage"'
        return HttpResponse(body, status=status, headers=headers)
