"""A replica finds what it needs to send its telemetry, and nothing that leaks."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from steerway.app import access
from steerway.delivery.deployments.models import Deployment
from steerway.delivery.deployments.workflows import replicas
from steerway.delivery.deployments.workflows.ground import Ground
from steerway.delivery.runtimes import actions as runtimes
from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import Program
from steerway.delivery.senders import actions
from steerway.delivery.senders.rules import HEADERS
from steerway.platform.keys import key
from steerway.platform.secrets.sealing import unseal
from steerway.platform.work import Work
from tests.delivery.deployments.pretended import Stand, stand

pytestmark = pytest.mark.django_db
DOOR = "http://127.0.0.1:7300"


@pytest.fixture
def shop(tmp_path: Path, work: Work) -> Iterator[Stand]:
    """A shop that is declared."""
    for one in stand(tmp_path, work):
        one.declare()
        yield one


@pytest.fixture
def ground(shop: Stand) -> Ground:
    return replace(shop.ground, telemetry=DOOR)


@pytest.fixture
def deployment(shop: Stand) -> Deployment:
    return shop.begin("v1")


def placed(ground: Ground, deployment: Deployment) -> Replica:
    return replicas.place(ground, deployment)[0]


def program(replica: Replica, **environment: str) -> Program:
    return Program(
        name=replica.program,
        command=("serve",),
        directory=Path("/r"),
        log=Path("/l"),
        environment=environment,
    )


def able(ground: Ground, replica: Replica, own: Program) -> tuple[Program, str]:
    opener = key(ground.home, "secrets")
    return actions.able_to_send(replica, own, version="v1", door=DOOR, key=opener)


def opened(ground: Ground, wanted: Program) -> str:
    """The header that the program is started with."""
    sealed = wanted.secrets[HEADERS]
    return unseal(key(ground.home, "secrets"), sealed.name, sealed.text)


def who(header: str) -> Any:
    """Who is known at the door by the header."""
    bearer = header.removeprefix("Authorization=Bearer%20")
    given = [(b"authorization", f"Bearer {bearer}".encode())]
    return {"headers": given, "client": ("127.0.0.1", 4000)}


def test_a_replica_finds_the_standard_environment(ground: Ground, deployment: Deployment) -> None:
    replica = placed(ground, deployment)

    wanted, _ = able(ground, replica, program(replica))

    assert wanted.environment == {
        "OTEL_EXPORTER_OTLP_ENDPOINT": DOOR,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_RESOURCE_ATTRIBUTES": "service.version=v1,deployment.environment.name=production,"
        f"service.instance.id={replica.program}",
    }
    assert "swy_" not in str(wanted)


def test_its_token_writes_telemetry_of_its_place_until_it_is_retired(
    ground: Ground, deployment: Deployment, work: Work
) -> None:
    replica = placed(ground, deployment)
    wanted, sender = able(ground, replica, program(replica))
    header = opened(ground, wanted)

    runtimes.equip(work, replica, program=wanted, sender=sender)
    writer = access.writer(who(header))
    elsewhere = access.actor_of(who(header))
    runtimes.rest(work, [replica])
    resting = access.writer(who(header))
    runtimes.retire(work, [replica])

    assert writer is not None
    assert (writer.may, writer.place) == (True, ("shop", "production"))
    assert elsewhere is None
    assert resting == writer  # it may be started again
    assert access.writer(who(header)) is None
    assert header.rpartition("%20")[2] not in str(Replica.objects.values())


def test_a_step_taken_again_keeps_the_token(
    ground: Ground, deployment: Deployment, work: Work
) -> None:
    replica = placed(ground, deployment)
    first, sender = able(ground, replica, program(replica))
    runtimes.equip(work, replica, program=first, sender=sender)

    again, same = able(ground, replica, program(replica))

    assert (again, same) == (first, sender)


@pytest.mark.parametrize(
    "name",
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", HEADERS],
)
def test_no_token_goes_where_the_descriptor_says(
    ground: Ground, deployment: Deployment, name: str
) -> None:
    replica = placed(ground, deployment)
    own = program(replica, **{name: "https://collector.example"})

    wanted, sender = able(ground, replica, own)

    assert (wanted.secrets, sender) == ({}, "")
    assert wanted.environment[name] == "https://collector.example"
    assert {one for one in wanted.environment if one.startswith("OTEL_EXPORTER")} == {name}
    assert wanted.environment["OTEL_SERVICE_NAME"] == "shop"


def test_what_the_descriptor_sets_stays(ground: Ground, deployment: Deployment) -> None:
    replica = placed(ground, deployment)
    own = program(replica, OTEL_SERVICE_NAME="beans", OTEL_EXPORTER_OTLP_PROTOCOL="http/json")

    wanted, sender = able(ground, replica, own)

    assert wanted.environment["OTEL_SERVICE_NAME"] == "beans"
    assert wanted.environment["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/json"
    assert wanted.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == DOOR
    assert sender


@pytest.mark.parametrize("sends", [True, False])
def test_a_descriptor_says_whether_replicas_send(
    ground: Ground, deployment: Deployment, sends: bool
) -> None:
    placed(ground, deployment)
    deployment.plan["telemetry"]["send"] = sends

    replicas.start(ground, deployment, 0)

    started = Replica.objects.get(index=0)
    found = [name for name in started.to_run().environment if name.startswith("OTEL_")]
    assert (bool(found), bool(started.sender)) == (sends, sends)
    assert (HEADERS in started.to_run().secrets) is sends
