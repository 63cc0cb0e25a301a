"""Records and workflows in PostgreSQL, with one server, and with two that share it."""

import subprocess
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest

from tests.journeys.conftest import Founder
from tests.journeys.installation import SECRET, STEERWAY, Installation, kind_of, until
from tests.on_postgresql import server

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("postgresql")]

STEPS = ("install", "configure", "start", "verify")
MINUTES = 120.0


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server's own database."""
    with server() as address:
        yield address


def database(postgresql: str, name: str) -> str:
    """The address of a new database."""
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgresql.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="module")
def alone(postgresql: str, found: Founder) -> Installation:
    """One server, whose shop serves v1."""
    installation = found(STEERWAY_DATABASE_URL=database(postgresql, "alone"))
    installation.start()
    installation.deploy("v1")
    return installation


@pytest.fixture(scope="module")
def pair(postgresql: str, found: Founder) -> tuple[Installation, Installation]:
    """Two servers that share a database: the shop lives on the first, the ledger on the other."""
    address = database(postgresql, "pair")
    first, second = found(STEERWAY_DATABASE_URL=address), found(STEERWAY_DATABASE_URL=address)
    both = [
        subprocess.Popen([*STEERWAY, "up"], env=one.environment, stdout=subprocess.DEVNULL)
        for one in (first, second)
    ]
    assert [one.wait(MINUTES) for one in both] == [0, 0]
    for one, name in ((first, "shop"), (second, "ledger")):
        one.ok("secret", "set", "payment-key", "--service", name, says=SECRET)
        one.apply(name)
        one.deploy("v1", service=name)
    return first, second


def endings(installation: Installation, ref: str) -> dict[str, int]:
    """How often the log says that a deployment and its change began and ended."""
    change = installation.deployment(ref)["change"]
    mine = [event for event in installation.events() if event["subject"] in (ref, change)]
    kinds = Counter(kind_of(event) for event in mine)
    told = ("deployment.requested", "change.opened")
    told += ("deployment.succeeded", "deployment.failed", "change.implemented", "change.failed")
    return {kind: kinds[kind] for kind in told if kinds[kind]}


ONCE = {
    "deployment.requested": 1,
    "change.opened": 1,
    "deployment.succeeded": 1,
    "change.implemented": 1,
}


def killed_in(installation: Installation, ref: str, step: str) -> None:
    """kill -9 of the server once a step of a deployment has begun."""

    def has_begun() -> bool:
        steps = installation.deployment(ref)["steps"]
        return any(one["name"] == step and one["started_at"] for one in steps)

    until(has_begun, f"{step} has begun")
    before = installation.kill("server")
    installation.reborn("server", before)


def test_nothing_is_kept_in_the_home_directory(alone: Installation) -> None:
    assert alone.shop_version() == "v1"
    assert not list(alone.home.glob("*.db"))
    assert alone.steerway("log", "verify").code == 0


@pytest.mark.parametrize("step", STEPS)
def test_a_deployment_ends_once_though_the_server_is_killed(alone: Installation, step: str) -> None:
    version = "v2" if alone.shop_version() == "v1" else "v1"
    ref = alone.begin(version)
    killed_in(alone, ref, step)

    ended = alone.ended(ref, MINUTES)

    assert ended["state"] == "succeeded", (ended["error"], ended["log_tail"])
    assert alone.shop_version() == version
    assert endings(alone, ref) == ONCE
    assert alone.steerway("log", "verify").code == 0


def test_two_servers_each_run_what_lives_on_them(pair: tuple[Installation, Installation]) -> None:
    first, second = pair

    assert first.shop_version() == second.shop_version("ledger.localhost") == "v1"
    assert first.shop_version("ledger.localhost") == second.shop_version() == "none"
    assert [name for name in first.programs() if name.startswith("ledger")] == []
    assert [name for name in second.programs() if name.startswith("shop")] == []
    assert len(first.client.get("/api/services")) == len(second.client.get("/api/services")) == 2


def test_what_one_server_is_asked_the_other_carries_out(
    pair: tuple[Installation, Installation],
) -> None:
    first, second = pair

    ref = second.begin("v2", service="shop")
    ended = second.ended(ref)

    assert ended["state"] == "succeeded", (ended["error"], ended["log_tail"])
    assert (first.shop_version(), second.shop_version()) == ("v2", "none")
    assert endings(second, ref) == endings(first, ref) == ONCE


def test_a_server_that_is_killed_goes_on_by_itself_and_the_other_steals_nothing(
    pair: tuple[Installation, Installation],
) -> None:
    first, second = pair
    version = "v2" if first.shop_version() == "v1" else "v1"
    replicas = first.pids(*(p for p in first.programs() if p.startswith("shop")))
    ledger = second.pids(*(p for p in second.programs() if p.startswith("ledger")))

    ref = second.begin(version, service="shop")
    killed_in(first, ref, "start")
    ended = second.ended(ref, MINUTES)

    assert replicas
    assert ended["state"] == "succeeded", (ended["error"], ended["log_tail"])
    assert first.shop_version() == version
    assert endings(first, ref) == ONCE
    assert [name for name in second.programs() if name.startswith("shop")] == []
    assert second.pids(*ledger) == ledger


def test_a_service_is_not_taken_from_the_server_it_lives_on(
    pair: tuple[Installation, Installation],
) -> None:
    first, second = pair
    second_shop = second.home / "shop.yaml"
    second_shop.write_text((first.shop / "steerway.yaml").read_text())

    applied = second.steerway("apply", "--file", str(second_shop))
    logs = second.steerway("logs", "shop")

    assert applied.code == logs.code == 1
    assert "shop lives on another server" in applied.stderr
    assert "shop runs on another server" in logs.stderr
    assert "shop" in first.ok("logs", "shop")


def test_a_brake_of_one_server_holds_at_both(pair: tuple[Installation, Installation]) -> None:
    first, second = pair

    first.ok("freeze", "--reason", "Audit")
    refused = second.steerway("deploy", "ledger", "--ref", "v2")
    second.ok("thaw")

    assert refused.code == 1
    assert "Everything is on hold: Audit" in refused.stderr
    assert first.deploy("v1", "--force")["state"] == "succeeded"
