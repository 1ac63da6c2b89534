"""What the tests that ask for thousands of pages have in common."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def quiet() -> Iterator[None]:
    """Thousands of pages that are not found are no news, and telling them takes longer than not finding them."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)
