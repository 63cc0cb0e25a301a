"""Stock OpenFeature providers evaluate Steerway's flags, and say the same as ours."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError, TargetingKeyMissingError

from steerway.app.ofrep import FlagDoor
from steerway.delivery.declarations.rules.documents import Decided, document, file_of, in_force
from steerway.delivery.declarations.rules.exposing import Exposure
from steerway.delivery.flags.adapters.files import FlagFiles
from steerway.delivery.flags.rules.asked import Asked
from steerway.openfeature.provider import SteerwayProvider
from steerway.platform.roles import Role
from steerway.platform.work import Actor
from tests.cast import actor

PLACE = ("shop", "production")
WRITTEN: dict[str, Any] = {
    "state": "ENABLED",
    "variants": {"on": True, "off": False},
    "defaultVariant": "off",
    "targeting": {"if": [{"$ref": "staff"}, "on", {"fractional": [["on", 10], ["off", 90]]}]},
    "metadata": {"owner": "checkout", "expires": "2026-06-30"},
}
STAFF = {"ends_with": [{"var": "email"}, "@example.com"]}
USERS = [EvaluationContext(f"user-{n}", {"email": f"{n}@example.org"}) for n in range(200)]


def text() -> str:
    """The flags of the shop, exposed to 30 % in Steerway."""
    decided = Decided(exposure=Exposure("on", "off", 30.0))
    flags = {
        "checkout": in_force("checkout", WRITTEN, decided),
        "off": in_force("off", WRITTEN, Decided(is_off=True)),
        "text": {"state": "ENABLED", "variants": {"a": "A"}, "defaultVariant": "a"},
        "out": {"state": "DISABLED", "variants": {"on": True}, "defaultVariant": "on"},
    }
    return document(flags, {"staff": STAFF}, {"service": "shop"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    FlagFiles(tmp_path).write(*PLACE, text())
    return file_of(tmp_path, *PLACE)


@pytest.fixture
def ours(file: Path) -> SteerwayProvider:
    found = SteerwayProvider(file)
    found.refresh()
    return found


@pytest.fixture
def flagd(file: Path) -> Iterator[FlagdProvider]:
    found = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=str(file))
    found.initialize(EvaluationContext())
    yield found
    found.shutdown()


@pytest.fixture
def ofrep() -> Iterator[OFREPProvider]:
    whole = actor("alice/edge", Role.VIEWER)
    asker = Actor(whole.name, Role.VIEWER, whole.grants, ("flags.evaluate@shop/production",))
    door = FlagDoor(
        lambda _: asker, Asked(), etags=lambda: {PLACE: "1"}, text=lambda _: ("1", text())
    )
    config = uvicorn.Config(door, port=0, lifespan="off", log_config=None, http="h11")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(timeout=0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    found = OFREPProvider(
        f"http://127.0.0.1:{port}", headers_factory=lambda: {"Authorization": "Bearer swy_x"}
    )
    yield found
    found.session.close()
    server.should_exit = True
    thread.join()


def shares(provider: Any) -> list[tuple[bool, str | None]]:
    found = [provider.resolve_boolean_details("checkout", False, user) for user in USERS]
    return [(one.value, one.variant) for one in found]


def test_the_flagd_provider_gives_every_user_the_variant_that_ours_gives(
    ours: SteerwayProvider, flagd: FlagdProvider
) -> None:
    assert shares(flagd) == shares(ours)
    assert 40 <= sum(value for value, _ in shares(ours)) <= 80


def test_the_ofrep_provider_gives_every_user_the_variant_that_ours_gives(
    ours: SteerwayProvider, ofrep: OFREPProvider
) -> None:
    assert shares(ofrep) == shares(ours)


@pytest.mark.parametrize("name", ["ours", "flagd", "ofrep"])
def test_they_agree_on_rules_values_and_what_is_off(
    name: str, request: pytest.FixtureRequest
) -> None:
    provider: Any = request.getfixturevalue(name)
    staff = EvaluationContext("x", {"email": "a@example.com"})

    assert provider.resolve_boolean_details("checkout", False, staff).value is True
    assert provider.resolve_boolean_details("off", True, staff).value is False
    assert provider.resolve_string_details("text", "x").value == "A"
    disabled = provider.resolve_boolean_details("out", False, staff)
    assert (disabled.value, disabled.reason) == (False, "DISABLED")
    metadata = provider.resolve_boolean_details("checkout", False, staff).flag_metadata
    assert metadata["owner"] == "checkout"
    with pytest.raises(FlagNotFoundError):
        provider.resolve_boolean_details("gone", False, staff)


def test_the_ofrep_provider_hears_that_a_user_is_missing(ofrep: OFREPProvider) -> None:
    with pytest.raises(TargetingKeyMissingError):
        ofrep.resolve_boolean_details("checkout", False, EvaluationContext())


def test_what_is_written_is_flagd_s_schema_and_nothing_else() -> None:
    whole = json.loads(text())

    assert set(whole) == {"$schema", "flags", "$evaluators", "metadata"}
