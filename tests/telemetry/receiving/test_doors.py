"""The doors for telemetry: who may send, what is read, and how it is answered."""

import http.client
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from steerway.app.intake import TelemetryDoor, Writer
from steerway.platform.errors import SteerwayError
from steerway.telemetry.ingest.rules.limits import IngestLimits
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.receiving.workflows import Receiver
from steerway.telemetry.store import Store, StoreDown
from tests.telemetry.receiving.conftest import NOW, metrics_body, snappy, write_body
from tests.telemetry.receiving.listening import served
from tests.telemetry.receiving.test_metrics import counter, histogram, point

PROTOBUF = {"content-type": "application/x-protobuf"}
ALICE = {"authorization": "Bearer alice"}
GUEST = {"authorization": "Bearer guest"}
WRITE = {**ALICE, **PROTOBUF, "content-encoding": "snappy"}


class Taken:
    """A receiver that can be away."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.away: SteerwayError | None = None

    def __call__(self) -> Receiver:
        if self.away is not None:
            raise self.away
        return self.receiver


@dataclass(frozen=True)
class Heard:
    status_code: int
    headers: dict[str, str]
    content: bytes


class Sender:
    def __init__(self, port: int) -> None:
        self.port = port

    def post(
        self, path: str, *, content: bytes | Iterable[bytes], headers: dict[str, str]
    ) -> Heard:
        return self.ask("POST", path, content, headers)

    def ask(
        self, method: str, path: str, content: bytes | Iterable[bytes], headers: dict[str, str]
    ) -> Heard:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Heard(answer.status, named, answer.read())
        finally:
            connection.close()


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    made = Intake(lambda: store, now=lambda: NOW, limits=IngestLimits(series_max=12))
    made.start()
    yield made
    made.stop()


def count(intake: Intake, store: Store) -> int:
    intake.settle()
    return store.table("SELECT count() AS n FROM samples")["n"][0].as_py()


@pytest.fixture
def taken(intake: Intake) -> Taken:
    return Taken(Receiver(intake))


@pytest.fixture
def sender(taken: Taken) -> Iterator[Sender]:
    def writer(scope) -> Writer | None:
        known = {
            b"Bearer alice": Writer(may=True),
            b"Bearer guest": Writer(may=False),
            b"Bearer till": Writer(may=True, place=("till", "production")),
        }
        return known.get(dict(scope["headers"]).get(b"authorization"))

    door = TelemetryDoor(taken, writer, body_bytes=100_000, held_bytes=1_000_000)
    with served(door) as port:
        yield Sender(port)


BODY = metrics_body(counter("orders", point(1.0, a="b")))


def test_what_was_answered_is_stored(sender: Sender, intake: Intake, store: Store) -> None:
    answer = sender.post("/v1/metrics", content=BODY, headers=ALICE | PROTOBUF)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/x-protobuf"
    assert count(intake, store) == 1


def test_a_body_may_come_in_pieces(sender: Sender, intake: Intake, store: Store) -> None:
    pieces = (BODY[start : start + 7] for start in range(0, len(BODY), 7))

    answer = sender.post("/v1/metrics", content=pieces, headers=ALICE | PROTOBUF)

    assert answer.status_code == 200
    assert count(intake, store) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"authorization": "Bearer nobody"}, 401), (GUEST, 403)],
)
def test_only_those_may_send_who_may_write_telemetry(
    sender: Sender, headers: dict[str, str], status: int
) -> None:
    answer = sender.post("/v1/metrics", content=BODY, headers=headers | PROTOBUF)

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("path", "headers", "content", "status"),
    [
        ("/v1/metrics", PROTOBUF, b"\xff", 400),
        ("/v1/logs", PROTOBUF, b"\x0a\xff", 400),
        ("/v1/traces", {"content-type": "application/json"}, b"[1]", 400),
        ("/v1/traces", {"content-type": "text/plain"}, b"", 415),
        ("/v1/traces", {**PROTOBUF, "content-encoding": "br"}, b"", 415),
        ("/v1/metrics", PROTOBUF, bytes(100_001), 413),
        ("/api/v1/write", {**PROTOBUF, "content-encoding": "snappy"}, b"\xff\xff", 400),
        ("/api/v1/write", {"content-type": "application/json"}, b"", 415),
        (
            "/api/v1/write",
            {"content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"},
            b"",
            415,
        ),
    ],
)
def test_what_cannot_be_read_is_refused(
    sender: Sender, path: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    answer = sender.post(path, content=content, headers=ALICE | headers)

    assert answer.status_code == status


def test_only_posts_are_taken(sender: Sender) -> None:
    assert sender.ask("GET", "/v1/metrics", b"", {}).status_code == 405


def test_json_is_answered_in_json(sender: Sender) -> None:
    headers = ALICE | {"content-type": "application/json; charset=utf-8"}

    good = sender.post("/v1/logs", content=b'{"resourceLogs":[]}', headers=headers)
    bad = sender.post("/v1/logs", content=b"{", headers=headers)

    assert (good.status_code, good.content) == (200, b"{}")
    assert (bad.status_code, json.loads(bad.content)["code"]) == (400, 3)


def test_the_label_with_too_many_values_is_named(sender: Sender) -> None:
    points = [point(1.0, user=f"u{number}") for number in range(15)]
    crowd = metrics_body(counter("hits", *points))

    answer = sender.post("/v1/metrics", content=crowd, headers=ALICE | PROTOBUF)

    assert answer.status_code == 200
    assert b"`user` (12)" in answer.content


def test_a_histogram_is_let_in_whole_or_not_at_all(
    sender: Sender, intake: Intake, store: Store
) -> None:
    points = [point(1.0, user=f"u{number}") for number in range(10)]
    for body in (metrics_body(counter("hits", *points)), metrics_body(histogram(0, [1, 2, 3]))):
        answer = sender.post("/v1/metrics", content=body, headers=ALICE | PROTOBUF)

    assert b"telemetry.series" in answer.content
    assert count(intake, store) == 10


def test_a_store_that_is_away_makes_senders_come_again(sender: Sender, taken: Taken) -> None:
    taken.away = StoreDown(why="starting")

    answer = sender.post("/v1/metrics", content=BODY, headers=ALICE | PROTOBUF)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


def test_a_full_queue_makes_senders_come_again(sender: Sender, taken: Taken, store) -> None:
    full = Intake(lambda: store, now=lambda: NOW, limits=IngestLimits(queue_bytes=1))
    taken.receiver = Receiver(full)

    answer = sender.post("/api/v1/write", content=snappy(write()), headers=WRITE)

    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


def write() -> bytes:
    at = round(NOW.timestamp() * 1000)
    return write_body(({"__name__": "up", "job": "node"}, [(at, 1.0)]))


def test_remote_write_is_answered_with_nothing_or_with_the_reason(sender: Sender) -> None:
    old = write_body(
        ({"__name__": "up"}, [(round(datetime(2020, 1, 1, tzinfo=UTC).timestamp()), 1.0)])
    )

    good = sender.post("/api/v1/write", content=snappy(write()), headers=WRITE)
    refused = sender.post("/api/v1/write", content=snappy(old), headers=WRITE)

    assert (good.status_code, good.content) == (204, b"")
    assert (refused.status_code, refused.content) == (400, b"1: older than 1 day, 0:00:00")


def test_a_token_of_one_service_writes_that_service_only(
    sender: Sender, intake: Intake, store: Store
) -> None:
    till = {"authorization": "Bearer till"}

    answer = sender.post("/v1/metrics", content=BODY, headers=till | PROTOBUF)
    series = sender.post(
        "/api/v1/write",
        content=b"",
        headers=till | PROTOBUF | {"content-encoding": "snappy"},
    )

    assert (answer.status_code, series.status_code) == (200, 403)
    assert count(intake, store) == 1
    labels = dict(store.table("SELECT labels FROM series")["labels"][0].as_py())
    assert (labels["service"], labels["job"], labels["environment"]) == (
        ("till", "till", "production")
    )
    assert labels["instance"] == "r1"
