"""One Envoy for all tests of a module that do not end it."""

from collections.abc import Iterator

import pytest

from tests.delivery.router.stage import Stage, stage


@pytest.fixture(scope="module")
def router() -> Iterator[Stage]:
    with stage() as one:
        one.start()
        yield one


@pytest.fixture
def fresh() -> Iterator[Stage]:
    """A router that is not started yet."""
    with stage() as one:
        yield one
