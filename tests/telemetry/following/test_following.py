"""What programs print is stored once, whatever happens to files, server and store."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from steerway.delivery.runtimes.adapters import logs as runtime
from steerway.telemetry.following.rules.sources import Source
from steerway.telemetry.following.workflows.following import Follower
from steerway.telemetry.ingest.errors import NotStored
from steerway.telemetry.ingest.workflows import Intake
from steerway.telemetry.logs import queries
from steerway.telemetry.logs.rules.search import Filter, Line
from steerway.telemetry.store import Store
from tests.cast import NOON


@dataclass
class Stage:
    """A program's log, a follower, and the store they lead to."""

    store: Store
    home: Path
    sources: list[Source] = field(default_factory=list)
    fails: str = ""
    intake: Intake = field(init=False)
    follower: Follower = field(init=False)

    def __post_init__(self) -> None:
        self.intake = Intake(lambda: self.store, now=lambda: NOON)
        self.starts_again()

    def starts_again(self) -> None:
        """A server that was killed remembers nothing."""
        self.follower = Follower(
            lambda: self.sources,
            self.take,
            store=lambda: self.store,
            now=lambda: NOON,
            file=self.home / "places.json",
        )

    def take(self, table: pa.Table) -> None:
        """Store, or fail before or after that."""
        if self.fails == "before":
            raise NotStored(reason="away")
        self.intake.add_logs(table, wait=True)
        if self.fails == "after":
            raise NotStored(reason="away")

    def runs(self, name: str = "shop.0", **fields: object) -> Path:
        path = self.home / f"{name}.log"
        given = {"service": "shop", "environment": "production", "version": "v1", **fields}
        self.sources.append(Source(instance=name, path=path, **given))  # type: ignore[arg-type]
        return path

    def looks(self, times: int = 2) -> None:
        """The second look sees that nothing more comes, so that a message is over."""
        for _ in range(times):
            self.follower.look()

    def lines(self) -> list[Line]:
        """What is stored, oldest first."""
        asked = Filter(since=NOON - timedelta(days=20), until=NOON + timedelta(days=1))
        return list(reversed(queries.search(self.store, asked, rows=1000).lines))

    def bodies(self) -> list[str]:
        return [line.body for line in self.lines()]


@pytest.fixture
def stage(store: Store, tmp_path: Path) -> Iterator[Stage]:
    found = Stage(store, tmp_path)
    found.intake.start()
    yield found
    found.intake.stop()


def write(path: Path, text: str | bytes) -> None:
    with path.open("ab") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def test_lines_are_stored_with_what_is_known_of_their_program(stage: Stage) -> None:
    log = stage.runs(version="v7")
    write(
        log, "2026-03-02T11:59:00.5Z ERROR cannot pay trace_id=4bf92f3577b34da6a3ce929d0e0e4736\n"
    )

    stage.looks()

    (line,) = stage.lines()
    assert (line.service, line.environment, line.version) == ("shop", "production", "v7")
    assert (line.instance, line.source, line.level) == ("shop.0", "process", "error")
    assert line.ts == datetime(2026, 3, 2, 11, 59, 0, 500_000, tzinfo=UTC)
    assert line.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_objects_give_their_fields(stage: Stage) -> None:
    said = {"time": 1772452800.25, "level": "warn", "msg": "slow", "http": {"status": 200}, "n": 3}
    write(stage.runs(), json.dumps(said) + "\n")

    stage.looks(1)

    (line,) = stage.lines()
    assert (line.body, line.level) == ("slow", "warn")
    assert line.ts == NOON + timedelta(microseconds=250_000)
    assert dict(line.attributes) == {"http.status": "200", "n": "3"}


def test_a_message_that_may_grow_waits_for_the_next_look(stage: Stage) -> None:
    log = stage.runs()
    write(log, "Traceback (most recent call last):\n  File x\n")
    stage.looks(1)
    write(log, "KeyError: 3\nnext\n")

    stage.looks()

    assert stage.bodies() == ["Traceback (most recent call last):\n  File x\nKeyError: 3", "next"]


def test_half_a_line_waits_for_its_end(stage: Stage) -> None:
    log = stage.runs()
    write(log, "one\nhal")
    stage.looks()
    write(log, "f\n")

    stage.looks()

    assert stage.bodies() == ["one", "half"]


def test_a_program_that_is_gone_is_read_to_its_end(stage: Stage) -> None:
    log = stage.runs()
    stage.looks()
    write(log, "last words")
    stage.sources.clear()

    stage.looks()

    assert stage.bodies() == ["last words"]


def test_lines_of_one_second_keep_their_order(stage: Stage) -> None:
    write(stage.runs(), "".join(f"2026-03-02 11:00:00 line {n}\n" for n in range(50)))

    stage.looks()

    assert [body[20:] for body in stage.bodies()] == [f"line {n}" for n in range(50)]


def test_cuts_lose_and_repeat_nothing(stage: Stage) -> None:
    log = stage.runs()
    for turn in range(4):
        write(log, "".join(f"{turn} line {n}\n" for n in range(500)))
        if turn != 2:
            stage.looks(1)
        runtime.rotate(log, size_max=100)
    stage.looks()

    asked = Filter(since=NOON - timedelta(days=1), until=NOON + timedelta(days=1))
    assert queries.histogram(stage.store, asked).total == 2000


def test_a_server_that_starts_again_neither_loses_nor_repeats(stage: Stage) -> None:
    log = stage.runs()
    write(log, "one\ntwo\n")
    stage.looks()
    stage.starts_again()
    write(log, "three\n")

    stage.looks()

    assert stage.bodies() == ["one", "two", "three"]


@pytest.mark.parametrize("kept", [0, 1])
def test_a_kill_between_the_store_and_the_note_repeats_nothing(stage: Stage, kept: int) -> None:
    log, note = stage.runs(), stage.home / "places.json"
    write(log, "one\n")
    stage.looks()
    before = note.read_bytes() if kept else b"torn {"
    write(log, "two\n")
    stage.looks()
    note.write_bytes(before)
    stage.starts_again()
    write(log, "three\n")

    stage.looks()

    assert stage.bodies() == ["one", "two", "three"]


@pytest.mark.parametrize("fails", ["before", "after"])
def test_a_store_that_fails_loses_and_repeats_nothing(stage: Stage, fails: str) -> None:
    log = stage.runs()
    write(log, "one\n")
    stage.looks()
    stage.fails = fails
    write(log, "two\nand more\n")
    with pytest.raises(NotStored):
        stage.looks()
    stage.fails = ""

    stage.looks()

    assert stage.bodies() == ["one", "two", "and more"]


def test_a_log_that_was_emptied_says_that_lines_may_be_missing(stage: Stage) -> None:
    log = stage.runs()
    write(log, "one\ntwo\n")
    stage.looks()
    log.write_text("x\n")

    stage.looks()

    assert stage.lines()[-1].attributes == {"steerway.gap": "true"}


def test_secrets_are_masked_before_they_are_stored(stage: Stage) -> None:
    secret = 'p"ss\nwörd/1'
    log = stage.runs(secrets=(secret,))
    write(log, f"plain wörd/1 {json.dumps(secret)} p%22ss%0Aw%C3%B6rd%2F1\n")
    write(log, json.dumps({"msg": f"with {secret}", "url": {"q": {"deep": secret}}}) + "\n")

    stage.looks()

    stored = json.dumps([[line.body, dict(line.attributes)] for line in stage.lines()])
    assert "rd/1" not in stored
    assert "rd%2F1" not in stored
    assert stored.count("\\u2022\\u2022\\u2022") == 5


def test_binary_and_very_long_lines_are_kept_in_pieces(stage: Stage) -> None:
    log = stage.runs()
    write(log, b"\x00\xff\x1b[31mred\x1b[0m\n" + b"x" * 200_000 + b"\nend\n")

    stage.looks()

    first, *pieces, last = stage.lines()
    assert first.body == "\ufffd\ufffdred"
    assert [len(piece.body) for piece in pieces] == [65536, 65536, 65536, 3392]
    assert [piece.attributes.get("steerway.cut") for piece in pieces] == ["true"] * 3 + [None]
    assert last.body == "end"


def test_a_line_longer_than_a_reading_does_not_stop_the_rest(stage: Stage) -> None:
    write(stage.runs(), b"x" * 3_000_000 + b"\nend\n")

    stage.looks(3)

    assert stage.bodies()[-1] == "end"
    assert sum(len(body) for body in stage.bodies()) == 3_000_003
