"""What a change is about in these tests."""

from collections.abc import Callable
from typing import Any

import pytest

from steerway.planning.changes.actions import Intent
from steerway.planning.changes.rules import Kind
from steerway.platform.roles import Role
from steerway.platform.work import Work
from tests.cast import NOON, Started, actor

Meant = Callable[..., Intent]


@pytest.fixture
def meant() -> Meant:
    """A deployment of the shop, unless said otherwise."""

    def intent(**fields: Any) -> Intent:
        given = {"kind": Kind.DEPLOYMENT, "service": "shop", "environment": "production"}
        return Intent(**{**given, "summary": "Deploy v2 in production", **fields})

    return intent


@pytest.fixture
def dave(db: None) -> Work:
    """Dave, a developer, at noon."""
    return Work(actor=actor("dave", Role.DEVELOPER), now=NOON, starter=Started())
