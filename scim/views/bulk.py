"""``/Bulk`` (RFC 7644 §3.7)."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from scim.bulk.execution import carry_out
from scim.bulk.messages import RESPONSE_URN, read
from scim.bulk.plan import plan
from scim.discovery import Capabilities
from scim.http import ScimResponse, read_json
from scim.views.base import ScimView


class BulkView(ScimView):
    """Many operations in one request; each has its own row in the log, the request as a whole only when refused."""

    logged_operation = "bulk"

    def post(self, _request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        operations, fail_on_errors = read(read_json(self.request), Capabilities().max_operations)
        results = carry_out(plan(operations), fail_on_errors, call=self.call)
        return ScimResponse({"schemas": [RESPONSE_URN], "Operations": results})
