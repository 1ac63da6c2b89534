"""What a PATCH that succeeds answers: as the configuration has it, or as the client asks (D-11, R-PAT-03)."""

import pytest

from provisioning.models import ProvisioningConfiguration, ProvisioningLogEntry
from scim.schema import GROUP
from tests.factories import make_configuration
from tests.scim.scenarios import Reply
from tests.scim.service import Service

pytestmark = pytest.mark.django_db

CONTENT, NO_CONTENT = ProvisioningConfiguration.UserPatchStatus


def change(status: int | None, query: str = "") -> Reply:
    configuration = make_configuration()
    if status is not None:
        ProvisioningConfiguration.objects.update(user_patch_status=status)
    service = Service(configuration)
    return service.patch(f"/Users/{service.make_user('ada@x')}{query}", {"op": "add", "path": "title", "value": "T"})


@pytest.mark.parametrize("status", [None, CONTENT])
def test_a_change_of_a_user_answers_with_its_content_by_default(status: int | None):
    reply = change(status)

    assert (reply.status, reply.body["title"], reply.headers["etag"]) == (200, "T", 'W/"2"')


def test_a_configuration_can_want_no_content():
    reply = change(NO_CONTENT)

    assert (reply.status, reply.body, reply.headers["etag"]) == (204, None, 'W/"2"')
    assert "/Users/" in reply.headers["location"]


def test_who_asks_for_attributes_gets_them_whatever_is_set():
    reply = change(NO_CONTENT, "?attributes=title")

    assert (reply.status, reply.body["title"]) == (200, "T")


def test_groups_answer_without_content_unless_they_are_asked():
    service = Service(make_configuration())
    path = f"/Groups/{service.make_group('Legal')}"
    rename = {"op": "replace", "path": "displayName", "value": "Law"}

    assert (service.patch(path, rename).status, service.patch(f"{path}?attributes=displayName", rename).status) == (
        204,
        200,
    )


def test_the_log_has_the_status_that_was_answered():
    replies = [change(CONTENT), change(NO_CONTENT), change(NO_CONTENT, "?attributes=title")]
    service = Service(make_configuration())
    path = f"/Groups/{service.make_group('Legal')}"
    replies.append(service.ask("PUT", path, {"schemas": [GROUP.schema.urn], "displayName": "Law"}))
    replies.append(service.patch(path, {"op": "replace", "path": "displayName", "value": "Legal"}))

    logged = ProvisioningLogEntry.objects.exclude(operation="create").order_by("pk").values_list("status", flat=True)
    assert list(logged) == [reply.status for reply in replies] == [200, 204, 200, 200, 204]
