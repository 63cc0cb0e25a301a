"""What replicas print, over HTTP."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from steerway.delivery.runtimes import actions
from steerway.delivery.runtimes.models import Replica
from steerway.planning.catalog.models import Service
from steerway.platform.db import new_id
from steerway.platform.work import Work
from tests.platform.web import scene

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def owner(work: Work) -> Client:
    """The owner of the machine, at the local door, where the shop is declared."""
    scene.apply(work, "shop", "Sells coffee beans.", "alice", 2)
    return Client(REMOTE_ADDR="local")  # type: ignore[arg-type] # its options are typed as bools


@pytest.fixture
def replica(work: Work, owner: Client, settings: Any) -> Replica:
    """A replica that has printed three lines."""
    placed = {"service": "shop", "environment": "production", "indexes": [0], "ports": None}
    (made,) = actions.place(work, new_id(), **placed)
    log: Path = settings.STEERWAY.log
    log.mkdir(parents=True, exist_ok=True)
    (log / f"{made.program}.log").write_text("one\ntwo\nthr")
    return made


def test_the_end_of_what_a_replica_printed_and_then_what_came_after(
    owner: Client, replica: Replica, settings: Any
) -> None:
    (first,) = owner.get("/api/services/shop/logs").json()["replicas"]
    with (settings.STEERWAY.log / f"{replica.program}.log").open("a") as log:
        log.write("ee\n")
    after = f"{replica.program}:{first['position']}"
    (second,) = owner.get("/api/services/shop/logs", {"after": after}).json()["replicas"]

    assert (first["program"], first["environment"]) == (replica.program, "production")
    assert (first["lines"], second["lines"]) == (["one", "two"], ["three"])


def test_a_service_without_replicas_has_printed_nothing(owner: Client) -> None:
    assert owner.get("/api/services/shop/logs").json() == {"replicas": []}


def test_a_service_that_is_not_there(owner: Client) -> None:
    assert owner.get("/api/services/tea/logs").status_code == 404


@pytest.mark.parametrize("size", ["0", "-1", "1000001", "x"])
def test_what_is_asked_for_has_bounds(owner: Client, size: str) -> None:
    assert owner.get(f"/api/services/shop/logs?size_bytes={size}").status_code == 422


def test_what_is_printed_on_another_server_is_said_so(owner: Client, replica: Replica) -> None:
    Service.objects.filter(name="shop").update(node="another")

    answer = owner.get("/api/services/shop/logs")

    assert (answer.status_code, answer.json()["type"]) == (409, "/errors/printed-elsewhere")
