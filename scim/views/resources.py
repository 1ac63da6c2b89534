"""``/Users``, ``/Groups`` and what is in them (RFC 7644 §3.2)."""

from dataclasses import replace
from typing import Any, Protocol

from django.http import HttpRequest, HttpResponse

from provisioning.models import ProvisioningConfiguration
from provisioning.services.calls import Call
from scim.documents import Document
from scim.errors import PreconditionFailed
from scim.http import ScimResponse, check_id, read_json
from scim.projection import Projection, read_projection
from scim.resources import groups, users
from scim.resources.queries import Query
from scim.resources.reading import Page
from scim.resources.rendering import Answer
from scim.schema import GROUP, USER
from scim.schema.table import ResourceType
from scim.versions import names
from scim.views.base import ScimView
from scim.views.search import list_of


class Resources(Protocol):
    """What ``scim.resources.users`` and ``scim.resources.groups`` both are."""

    def read(self, *, configuration: ProvisioningConfiguration, scim_id: str, projection: Projection) -> Answer: ...
    def search(self, *, configuration: ProvisioningConfiguration, query: Query) -> tuple[Page, list[Document]]: ...
    def create(self, *, body: object, call: Call, projection: Projection) -> Answer: ...
    def replace(self, *, scim_id: str, body: object, call: Call, projection: Projection) -> Answer: ...
    def modify(self, *, scim_id: str, body: object, call: Call, projection: Projection | None) -> Answer: ...
    def remove(self, *, scim_id: str, call: Call) -> None: ...


class _ResourceTypeView(ScimView):
    resource_type: ResourceType
    resources: Resources

    def projection(self, parameters: dict[str, str]) -> Projection:
        return read_projection(self.resource_type, parameters.get("attributes"), parameters.get("excludedattributes"))

    def body(self) -> Any:
        """Return the JSON that was sent, and note whom it is about, in case that it is refused."""
        body = read_json(self.request)
        if isinstance(body, dict):
            self.logged_name = body.get("userName") or body.get("displayName") or ""
        return body


class CollectionView(_ResourceTypeView):
    """All resources of one type."""

    def get(self, _request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        return list_of(self.call, self.parameters(), self.resource_type)

    head = get

    def post(self, _request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        projection = self.projection(self.parameters())
        answer = self.resources.create(body=self.body(), call=self.call, projection=projection)
        return ScimResponse(answer.body, 201, _headers(answer))


class ResourceView(_ResourceTypeView):
    """One resource."""

    def initial(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        check_id(kwargs["scim_id"])

    def get(self, _request: HttpRequest, *, scim_id: str, **_kwargs: Any) -> HttpResponse:
        projection, headers = self.projection(self.parameters()), self.request.META
        answer = self.resources.read(configuration=self.configuration, scim_id=scim_id, projection=projection)
        if (wanted := headers.get("HTTP_IF_MATCH")) and not names(wanted, answer.version):
            raise PreconditionFailed
        if (known := headers.get("HTTP_IF_NONE_MATCH")) and names(known, answer.version):
            return ScimResponse(None, 304, _headers(answer))
        return _found(answer)

    head = get

    def put(self, _request: HttpRequest, *, scim_id: str, **_kwargs: Any) -> HttpResponse:
        projection, call = self.projection(self.parameters()), replace(self.call, answers=200)
        return _found(self.resources.replace(scim_id=scim_id, body=self.body(), call=call, projection=projection))

    def patch(self, _request: HttpRequest, *, scim_id: str, **_kwargs: Any) -> HttpResponse:
        """Answer with the content where the kind of resource does (D-11), or where it is asked for (R-PAT-03)."""
        parameters = self.parameters()
        projection = self.projection(parameters)
        wanted = projection if self.answers_patch() or "attributes" in parameters else None
        call = replace(self.call, answers=200 if wanted else 204)
        return _found(self.resources.modify(scim_id=scim_id, body=self.body(), call=call, projection=wanted))

    def delete(self, _request: HttpRequest, *, scim_id: str, **_kwargs: Any) -> HttpResponse:
        self.resources.remove(scim_id=scim_id, call=self.call)
        return ScimResponse(None, 204)

    def answers_patch(self) -> bool:
        """Whether a PATCH that succeeds answers with the content of the resource."""
        return False


class UsersView(CollectionView):
    resource_type, resources, logged_type = USER, users, USER.name


class UserView(ResourceView):
    resource_type, resources, logged_type = USER, users, USER.name

    def answers_patch(self) -> bool:
        return self.configuration.user_patch_status == ProvisioningConfiguration.UserPatchStatus.CONTENT


class GroupsView(CollectionView):
    resource_type, resources, logged_type = GROUP, groups, GROUP.name


class GroupView(ResourceView):
    resource_type, resources, logged_type = GROUP, groups, GROUP.name


def _found(answer: Answer) -> HttpResponse:
    return ScimResponse(answer.body, 204 if answer.body is None else 200, _headers(answer))


def _headers(answer: Answer) -> dict[str, str]:
    return {"Location": answer.location, "ETag": answer.version}
