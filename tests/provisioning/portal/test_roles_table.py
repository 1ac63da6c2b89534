"""The table of roles (1-product §1.6) as code."""

import pytest
from django.urls import resolve

from provisioning.permissions import ROLES, Permission, Role


def test_no_role_may_nothing():
    assert ROLES[Role.NO_ROLE] == frozenset()


def test_a_subscription_admin_may_everything():
    assert ROLES[Role.SUBSCRIPTION_ADMIN] == frozenset(Permission)


def test_a_billing_admin_orders_licenses_and_does_not_see_provisioning():
    allowed = ROLES[Role.BILLING_ADMIN]

    assert Permission.ORDER_LICENSES in allowed
    assert Permission.SEE_OWN_ACTS in allowed
    assert not allowed & {Permission.PROVISIONING, Permission.CHANGE_USERS, Permission.SEE_ALL_ACTS}


def test_an_access_admin_provisions_and_orders_nothing():
    allowed = ROLES[Role.ACCESS_ADMIN]

    assert {Permission.PROVISIONING, Permission.CHANGE_USERS, Permission.SEE_ALL_ACTS} <= allowed
    assert not allowed & {Permission.ORDER_LICENSES, Permission.CHANGE_SETTINGS}


@pytest.mark.parametrize(
    "path",
    [
        *("users/create/", "users/1/edit/", "users/1/disable/", "users/1/enable/", "users/1/delete/"),
        *("users/users.csv", "users/import/", "users/import/1/", "users/import/1/confirm/"),
    ],
)
def test_whatever_makes_changes_or_exports_users_needs_the_right_to_change_them(path):
    assert resolve(f"/s/M-1/{path}").func.permission is Permission.CHANGE_USERS
