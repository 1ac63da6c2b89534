import pytest

from tests.factories import make_link, make_vault


@pytest.fixture
def vault_link():
    """Link a group to a user group of a new vault."""
    return lambda group, **options: make_link(group, make_vault(group.subscription), **options)
