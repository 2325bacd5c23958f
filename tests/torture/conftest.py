"""Torture takes long enough without being measured: the code is, in the tests of its parts."""

from collections.abc import Iterator

import pytest

from tests.measuring import not_measuring_here


@pytest.fixture(scope="package", autouse=True)
def not_measured() -> Iterator[None]:
    """For all of these tests."""
    with not_measuring_here():
        yield
