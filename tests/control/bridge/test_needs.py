"""What the bridge finds: every service in trouble, whatever its name, for the same few queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from steerway.control.bridge import queries
from steerway.control.services import queries as services
from steerway.delivery.deployments.actions import Wish
from steerway.delivery.runtimes import actions as runtimes
from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import Process, ProcessState
from tests.cast import NOON
from tests.platform.web import scene

pytestmark = [pytest.mark.django_db, pytest.mark.database]

PORT = 8080


def serve(name: str, replicas: int = 2) -> None:
    scene.apply(scene.at(NOON), name, "Serves.", "alice", replicas)
    deployed = scene.deploy(scene.at(NOON), Wish(name, "production", "v1", ""))
    scene.run(scene.at(NOON), deployed, routed=True)


def end(name: str, state: ProcessState, *, crashes: int) -> None:
    """The first replica of a service ends, and is seen so."""
    replica = Replica.objects.filter(service=name).earliest("index")
    seen = Process(name=replica.program, state=state, exits=crashes, crashes=crashes)
    runtimes.note(scene.at(NOON), replica, seen)


def titles() -> list[str]:
    troubled = services.troubled(rows=queries.NEEDS_MAX, router_port=PORT)
    return [need.title for need in queries.needs(troubled, [])]


def test_trouble_is_found_behind_any_number_of_healthy_services() -> None:
    for index in range(25):
        serve(f"calm-{index:02}", 1)
    serve("zebra")
    serve("yak")
    end("zebra", ProcessState.BACKOFF, crashes=6)
    end("yak", ProcessState.EXITED, crashes=1)

    assert titles() == [
        "zebra in production is in a crash loop",
        "yak in production has fewer replicas than it should",
    ]


def test_a_service_whose_only_replica_is_gone_is_down() -> None:
    serve("zebra", 1)
    end("zebra", ProcessState.STOPPED, crashes=0)

    assert titles() == ["zebra in production has no replica that runs"]


def test_replicas_that_are_just_being_deployed_are_no_trouble() -> None:
    serve("zebra")
    begun = scene.begin(scene.at(NOON), Wish("zebra", "production", "v2", ""))
    scene.run(scene.at(NOON), begun, routed=False)

    assert titles() == []


def test_a_replica_that_the_descriptor_wants_since_is_no_trouble_before_it_is_deployed() -> None:
    serve("zebra", 1)
    scene.apply(scene.at(NOON), "zebra", "Serves.", "alice", 3)

    lane = services.overview("zebra", router_port=PORT).lanes[-1]
    assert (lane.wanted, lane.state.value, lane.is_drifted) == (1, "serving", True)
    assert titles() == []


def test_more_trouble_asks_no_more_queries() -> None:
    serve("zebra")
    end("zebra", ProcessState.BACKOFF, crashes=6)
    with CaptureQueriesContext(connection) as one:
        titles()
    for name in ("yak", "wolf", "vole"):
        serve(name)
        end(name, ProcessState.BACKOFF, crashes=6)
    with CaptureQueriesContext(connection) as four:
        found = titles()

    assert len(found) == 4
    assert len(one) == len(four) <= 13
