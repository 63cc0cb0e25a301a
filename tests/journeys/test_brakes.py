"""People brake: one deployment at a time, cancel, hold, freeze, and the way past them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from steerway.platform.client import Problem
from tests.journeys.installation import Installation, until
from tests.journeys.people import Person

pytestmark = pytest.mark.journey
SLOW_BUILD: Final = "sh -c 'sleep 1; python build.py'"


@pytest.fixture
def shop(serving: Installation) -> Iterator[Installation]:
    """The shop as its descriptor says, v1 serving, whatever a test makes of it."""
    yield serving
    serving.apply()
    serving.deploy("v1")


def test_of_two_deployments_at_once_one_wins_and_the_other_is_told(shop: Installation) -> None:
    shop.apply(build={"command": SLOW_BUILD})
    wish = {"service": "shop", "environment": "production", "ref": "v2"}
    won: list[str] = []
    lost: list[Problem] = []

    def ask() -> None:
        try:
            won.append(shop.client.post("/api/deployments", wish)["ref"])
        except Problem as problem:
            lost.append(problem)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == 1
    assert {(problem.status, problem.kind) for problem in lost} == {(409, "busy")}
    assert f"{won[0]} is deploying shop to production now." in str(lost[0])
    code, _, stderr = shop.steerway("deploy", "shop", "--ref", "v2")
    assert (code, f"steerway cancel {won[0]}" in stderr) == (1, True)
    assert shop.ended(won[0])["state"] == "succeeded"


@pytest.mark.parametrize("ref", ["v2", "v2-sick"], ids=["in the build", "before it is healthy"])
def test_a_deployment_that_is_cancelled_before_its_switch_is_undone(
    shop: Installation, ref: str
) -> None:
    before = shop.traces()
    shop.apply(build={"command": "sleep 613" if ref == "v2" else "true"})
    begun = shop.begin(ref)
    awaited = "build" if ref == "v2" else "verify"
    until(lambda: state_of(shop, begun, awaited) == "running", f"it is at {awaited}")

    shop.ok("cancel", begun)
    ended = shop.ended(begun)

    assert ended["state"] == "cancelled"
    assert ended["error"].startswith(("Cancelled by local", "The build of shop v2 was cancelled"))
    assert shop.traces() == before
    assert shop.shop_version() == "v1"
    code, _, stderr = shop.steerway("cancel", begun)
    assert (code, stderr) == (1, f"{begun} has ended: cancelled.\n")


def test_a_deployment_cannot_be_cancelled_once_visitors_have_moved(shop: Installation) -> None:
    with slow_checkout(shop):
        begun = shop.begin("v2")
        until(lambda: shop.deployment(begun)["switched_at"], "the switch")

        code, _, stderr = shop.steerway("cancel", begun)

        assert code == 1
        assert f"{begun} has moved traffic already. `steerway rollback shop`" in stderr
        assert shop.deployment(begun)["state"] == "running"
    assert shop.ended(begun)["state"] == "succeeded"
    assert shop.shop_version() == "v2"


@pytest.mark.parametrize("brake", ["hold", "freeze"])
def test_a_hold_and_a_freeze_stop_deployments_but_neither_rollbacks_nor_emergencies(
    shop: Installation, brake: str, tmp_path: Path
) -> None:
    developer = Person(shop, f"dora-{brake}", "developer", tmp_path)
    operator = Person(shop, f"otto-{brake}", "operator", tmp_path)
    shop.deploy("v2")
    words = ["hold", "shop"] if brake == "hold" else ["freeze"]
    ref = shop.ok(*words, "--reason", "the inventory is counted").split()[0]

    refused = developer.steerway("deploy", "shop", "--ref", "v2")
    unexplained = operator.steerway("deploy", "shop", "--ref", "v2", "--emergency")
    emergency = ("deploy", "shop", "--ref", "v2", "--emergency", "--why", "checkout is broken")
    forbidden = developer.steerway(*emergency)
    rolled_back = developer.steerway("rollback", "shop")
    passed = operator.steerway(*emergency)
    shop.ok(*(["lift", ref] if brake == "hold" else ["thaw"]))

    assert (refused.code, "the inventory is counted" in refused.stderr) == (1, True)
    assert unexplained.code in (1, 2)
    assert forbidden.code == 3
    assert rolled_back.code == 0, rolled_back
    assert passed.code == 0, passed
    newest = shop.client.get("/api/changes?service=shop&rows=1")[0]
    assert newest["emergency"]
    assert newest["why"] == "checkout is broken"
    assert newest["requested_by"].startswith(operator.name)


def state_of(installation: Installation, ref: str, step: str) -> str:
    """How far a step of a deployment is."""
    steps = installation.deployment(ref)["steps"]
    return str(next(one["state"] for one in steps if one["name"] == step))


@contextmanager
def slow_checkout(installation: Installation) -> Iterator[None]:
    """A visitor whose order is on its way all the time, which keeps a replica from leaving."""
    head = "POST /checkout HTTP/1.1\r\nHost: shop.localhost\r\nIdempotency-Key: slow\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 64\r\n\r\n"
    with socket.create_connection(("127.0.0.1", installation.router_port)) as visitor:
        visitor.sendall(head.encode() + b'{"sku"')
        yield
