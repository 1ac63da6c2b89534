"""The factories make what their names say."""

import pytest

from provisioning.license_types import LicenseType
from tests.factories import (
    PASSWORD,
    make_account,
    make_admin,
    make_configuration,
    make_group,
    make_link,
    make_vault,
)

pytestmark = pytest.mark.django_db


def test_a_whole_directory_stands_in_six_lines():
    configuration = make_configuration()
    ann = make_account(configuration, "ann@contoso.example", full_name="Ann Berg")
    group = make_group(configuration, "Legal", members=[ann], license_type=LicenseType.NAMED)
    vault = make_vault(configuration.subscription, "Contracts")
    link = make_link(group, vault, "Lawyers")
    admin = make_admin(configuration.subscription)

    assert list(ann.groups.all()) == [group]
    assert str(link) == "Legal → Lawyers"
    assert admin.user.check_password(PASSWORD)
