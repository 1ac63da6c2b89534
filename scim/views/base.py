"""What all addresses under a Tenant URL have in common: who calls, what is logged, how errors are told."""

import time
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.views import APIView

from provisioning import tenancy
from provisioning.models import ProvisioningConfiguration
from provisioning.services.call_counts import count_call
from provisioning.services.calls import Call
from provisioning.services.tokens import ConfigurationPaused, TokenUnknown, authenticate
from scim.errors import MethodNotAllowed, ScimError, Unauthorized
from scim.http import OPERATIONS, ScimResponse, bearer_token, check_accept
from scim.rates import SECOND, rates
from scim.refusals import record_refusal, scim_error
from scim.versions import condition


class ScimView(APIView):
    """DRF's dispatch around plain requests and answers: sessions, negotiation, forms and browsing are not SCIM's."""

    logged_type = ""
    logged_operation = ""
    logged_name = ""
    _call: Call | None = None
    configuration: ProvisioningConfiguration

    def initialize_request(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpRequest:  # type: ignore[override]
        return request

    def initial(self, request: HttpRequest, *_args: Any, **kwargs: Any) -> None:
        """Find out who calls.

        Raises ``TokenUnknown``, ``ConfigurationPaused``, ``TooManyRequests`` and ``NotAcceptable``.
        """
        started, now = time.perf_counter(), timezone.now()
        token, public_id = bearer_token(request), kwargs["public_id"]
        if not token or not public_id.isascii() or not public_id.isprintable():
            raise TokenUnknown
        try:
            with tenancy.everybody():
                self.configuration = authenticate(token=token, public_id=public_id, at=now)
        except ConfigurationPaused as paused:
            self._call = self._begin(paused.configuration, now, started)
            raise
        self._call = self._begin(self.configuration, now, started)
        if limits := rates(settings.SCIM_RATE, settings.SCIM_BURST, settings.REDIS_URL):
            limits.check(public_id, int(started * SECOND))
        check_accept(request)

    def _begin(self, configuration: ProvisioningConfiguration, now: datetime, started: float) -> Call:
        """From here on the request touches the rows of the caller's subscription only."""
        tenancy.enter(configuration.subscription_id)
        return Call(
            configuration=configuration,
            operation=self.logged_operation or OPERATIONS.get(str(self.request.method), "query"),
            resource_type=self.logged_type,
            request_id=str(getattr(self.request, "request_id", "")),
            at=now,
            started=started,
            condition=condition(self.request.META),
        )

    @property
    def call(self) -> Call:
        """What the log is told; there is one as soon as it is known who calls."""
        assert self._call is not None
        return self._call

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the query by their names in lower case."""
        return {name.lower(): str(value) for name, value in self.request.GET.items()}

    def options(self, _request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:  # type: ignore[override]
        return ScimResponse(None, 204, {"Allow": self._allow()})

    def http_method_not_allowed(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:  # type: ignore[override]
        raise MethodNotAllowed(f"{request.method} is not supported here, only {self._allow()}.")

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {}

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        """Answer every failure with a SCIM error, and log it if it is known who called."""
        error = scim_error(exc, f"{self.request.method} {self.request.path}")
        if self._call is not None:
            record_refusal(self._call, error, resource_id=self.kwargs.get("scim_id"), resource_name=self.logged_name)
        return ScimResponse(error.body(), error.status, self._headers(error))

    def finalize_response(  # type: ignore[override]
        self, request: HttpRequest, response: HttpResponseBase, *_args: Any, **_kwargs: Any
    ) -> HttpResponseBase:
        if request.method == "HEAD" and isinstance(response, HttpResponse) and response.content:
            response["Content-Length"] = str(len(response.content))
            response.content = b""
        self._count(response.status_code)
        return response

    def _count(self, status: int) -> None:
        """Count the call; not to find what was asked for is an answer, not a failure."""
        if self._call is not None:
            failed = status >= 400 and not (status == 404 and self._call.operation == "query")  # noqa: PLR2004
            count_call(self._call.configuration.pk, failed=failed, at=self._call.at)

    def _allow(self) -> str:
        return ", ".join(self.allowed_methods)

    def _headers(self, error: ScimError) -> dict[str, str]:
        if isinstance(error, Unauthorized):
            reason = ', error="invalid_token"' if bearer_token(self.request) else ""
            return {"WWW-Authenticate": f'Bearer realm="mfmanage"{reason}'}
        if isinstance(error, MethodNotAllowed):
            return {"Allow": self._allow()}
        return {"Retry-After": str(error.retry_after)} if error.retry_after else {}
