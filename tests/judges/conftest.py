"""Two options for long runs; they are there when this folder is named on the command line."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("judges")
    group.addoption("--judge-examples", type=int, help="how many runs the client of the two services makes")
    group.addoption("--judge-seed", type=int, help="where its random numbers start")
