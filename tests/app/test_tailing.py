"""Lines as they come, to whoever follows them, each once."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from steerway.app import tailing
from steerway.app.tailing import Tail
from steerway.telemetry.store import Store, StoreDown
from tests.app.listening import Hearing
from tests.cast import NOON
from tests.telemetry.logs.printing import printed

SECONDS = 10.0
SECOND = timedelta(seconds=1)


class Stage:
    """A tail, and the clock it looks at."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOON
        self.is_down = False
        self.may = True
        self.tail = Tail(
            self.opened, lambda _: self.may, now=lambda: self.now,
            look_seconds=0.01, send_seconds=0.2,
        )  # fmt: skip

    def opened(self) -> Store:
        if self.is_down:
            raise StoreDown(why="away")
        return self.store

    def prints(self, *texts: str, at: datetime | None = None, **fields: Any) -> None:
        printed(self.store, list(texts), since=at or self.now, **fields)


class Listener(Hearing):
    """Somebody who follows until told to leave."""

    def __init__(self, stage: Stage, query: str = "", *, is_stuck: bool = False) -> None:
        self._is_stuck = is_stuck
        scope: Any = {"path": tailing.PATH, "headers": [], "query_string": query.encode()}
        super().__init__(stage.tail, scope, seconds=SECONDS)

    async def _send(self, event: Any) -> None:
        await super()._send(event)
        if self._is_stuck and event["type"] == "http.response.body":
            await asyncio.Event().wait()

    @property
    def lines(self) -> list[str]:
        """The texts of the lines heard, in order."""
        data = [x.partition(": ")[2] for x in self.heard.splitlines() if x.startswith("data: ")]
        return [one["text"] for one in map(json.loads, data) if "text" in one]


def play(store: Store, scene: Callable[[Stage], Awaitable[None]]) -> None:
    async def run() -> None:
        stage = Stage(store)
        try:
            await scene(stage)
        finally:
            await stage.tail.close()

    asyncio.run(run())


def test_a_follower_hears_the_newest_lines_and_then_what_comes_once(store: Store) -> None:
    async def scene(stage: Stage) -> None:
        stage.prints("one", "two", "three", at=NOON - 5 * SECOND)
        listener = Listener(stage, "rows=2")
        await listener.hears('"three"')
        stage.prints("four")
        await listener.hears('"four"')
        stage.now += 2 * SECOND
        stage.prints("five", "five", step=timedelta(0))
        stage.prints("late", at=NOON - 3 * SECOND)
        await listener.hears('"late"')
        await listener.leaves()

        assert listener.status == 200
        assert sorted(listener.lines) == ["five", "five", "four", "late", "three", "two"]
        assert listener.is_over

    play(store, scene)


def test_only_what_matches_is_heard(store: Store) -> None:
    async def scene(stage: Stage) -> None:
        listener = Listener(stage, "severity=error&service=shop&attribute=user%3Dbob")
        await listener.hears(": listening")
        stage.prints("no", severity=9, attributes={"user": "bob"})
        stage.prints("nor this", severity=17)
        stage.prints("yes", severity=17, attributes={"user": "bob"})
        await listener.hears('"yes"')
        await listener.leaves()

        assert listener.lines == ["yes"]

    play(store, scene)


def test_what_is_too_much_is_left_out_and_said(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tailing, "LINES_MAX", 3)

    async def scene(stage: Stage) -> None:
        stage.prints("first", at=NOON - 5 * SECOND)
        listener = Listener(stage, "rows=1")
        await listener.hears('"first"')
        stage.prints(*(f"line {n}" for n in range(9)))
        await listener.hears("event: skipped")
        await listener.leaves()

        assert listener.lines == ["first", "line 6", "line 7", "line 8"]

    play(store, scene)


def test_a_store_that_is_away_is_said_and_waited_for(store: Store) -> None:
    async def scene(stage: Stage) -> None:
        stage.is_down = True
        listener = Listener(stage)
        await listener.hears("event: problem")
        stage.is_down = False
        stage.prints("back")
        await listener.leaves()

        assert "Telemetry is away" in listener.heard

    play(store, scene)


def test_a_follower_who_takes_nothing_is_let_go(store: Store) -> None:
    async def scene(stage: Stage) -> None:
        listener = Listener(stage, is_stuck=True)

        await asyncio.wait_for(listener.task, SECONDS)

    play(store, scene)


def test_who_may_not_read_hears_nothing(store: Store) -> None:
    async def scene(stage: Stage) -> None:
        stage.may = False
        listener = Listener(stage)
        await asyncio.wait_for(listener.task, SECONDS)

        assert listener.status == 401

    play(store, scene)


@pytest.mark.parametrize("query", ["severity=loud", "since=yesterday", "&".join("abc" * 200)])
def test_what_cannot_be_understood_is_refused(store: Store, query: str) -> None:
    async def scene(stage: Stage) -> None:
        listener = Listener(stage, query)
        await asyncio.wait_for(listener.task, SECONDS)

        assert listener.status == 422
        assert json.loads(listener.heard)["detail"]

    play(store, scene)


def test_there_is_a_most_of_followers(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tailing, "LISTENERS_MAX", 1)

    async def scene(stage: Stage) -> None:
        first = Listener(stage)
        await first.hears(": listening")
        second = Listener(stage)
        await asyncio.wait_for(second.task, SECONDS)
        await first.leaves()

        assert second.status == 503

    play(store, scene)


def test_a_server_that_stops_ends_the_streams(store: Store) -> None:
    async def scene(stage: Stage) -> None:
        listener = Listener(stage)
        await listener.hears(": listening")

        await stage.tail.close()

        await asyncio.wait_for(listener.task, SECONDS)

    play(store, scene)
