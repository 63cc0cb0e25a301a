"""A shop with two environments and a flag file."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from steerway.app import descriptor
from steerway.app.descriptor_declared import declared
from steerway.delivery.declarations.actions import declaring
from steerway.delivery.flagfiles.rules.checking import FlagFile, load
from steerway.planning.catalog import actions as catalog
from steerway.platform.roles import Role
from steerway.platform.work import Work
from tests.cast import NOON, Started, actor

SHOP = """\
steerway: 1
service: shop
owners: [alice]
run: {command: python -m shop}
flags: {file: flags.json}
environments: [{name: testing}, {name: production}]
"""
METADATA = {"owner": "checkout", "expires": "2026-06-30"}
ROLLOUT = {"fractional": [["on", 10], ["off", 90]]}
ENVIRONMENTS = ("testing", "production")

Written = Callable[..., FlagFile]


def flag(targeting: Any = None, **more: Any) -> dict[str, Any]:
    """A flag that is off, with an owner and a last day."""
    rule = {} if targeting is None else {"targeting": targeting}
    return {
        "state": "ENABLED",
        "variants": {"on": True, "off": False},
        "defaultVariant": "off",
        "metadata": METADATA,
        **rule,
        **more,
    }


def file(text: str = "", **flags: Any) -> FlagFile:
    """A flag file of the shop; an underscore in a name is a hyphen."""
    by_key = {key.replace("_", "-"): one for key, one in flags.items()}
    return load(text or json.dumps({"flags": by_key}, indent=2), "flags.json", ENVIRONMENTS)


@pytest.fixture
def shop(work: Work) -> str:
    """The shop is in the catalog, with one flag at 10 %."""
    catalog.apply(work, declared(descriptor.load(SHOP), directory="/srv/shop"))
    declaring.apply(work, "shop", file(new_checkout=flag(ROLLOUT)))
    return "shop"


@pytest.fixture
def dave(db: None) -> Work:
    """Dave, a developer, at noon."""
    return Work(actor=actor("dave", Role.DEVELOPER), now=NOON, starter=Started())
