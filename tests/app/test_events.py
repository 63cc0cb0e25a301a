"""The event stream: what is new, in order, to everybody who may read the log."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth import login
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError, connections
from django.http import HttpRequest

from steerway.app import events
from steerway.app.access import may_read
from steerway.app.events import Stream
from steerway.platform.db import unit_of_work
from steerway.platform.identity.models import User
from steerway.platform.roles import Role
from steerway.platform.work import Work
from tests.app.listening import Hearing
from tests.cast import NOON, Started, actor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

SECONDS = 5.0
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class Listener(Hearing):
    """Somebody who listens to a stream until told to leave."""

    def __init__(self, stream: Stream, query: str = "", **headers: str) -> None:
        lines = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
        scope: Any = {"client": ("192.0.2.7", 1), "headers": lines, "query_string": query.encode()}
        super().__init__(stream, scope, seconds=SECONDS)

    @property
    def ids(self) -> list[int]:
        """The numbers of the entries heard, in order."""
        return [int(x.partition(": ")[2]) for x in self.heard.splitlines() if x.startswith("id: ")]


def play(scene: Callable[[], Awaitable[None]]) -> None:
    """Play a scene whose database work is done in one other thread, as it is in the server."""

    async def run() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        try:
            await scene()
        finally:
            await asyncio.to_thread(connections.close_all)

    asyncio.run(run())


def happen(count: int = 1) -> None:
    """Entries of the log, committed."""
    work = Work(actor=actor("alice", Role.ADMIN), now=NOON, starter=Started())
    for _ in range(count):
        with unit_of_work():
            work.record("service.paused", "shop", service="shop", reason="secret plans")


def anybody(_: object) -> bool:
    return True


def test_a_listener_hears_what_is_newest_and_then_what_it_missed_in_order() -> None:
    happen(4)

    async def scene() -> None:
        listener = Listener(Stream(anybody), "after=1")
        await listener.hears("id: 4")
        await listener.leaves()

        assert listener.status == 200
        assert listener.heard.startswith("event: hello\ndata: 4\n\n")
        assert listener.ids == [2, 3, 4]
        assert listener.is_over

    play(scene)


def test_an_entry_is_told_without_its_data() -> None:
    happen()

    async def scene() -> None:
        listener = Listener(Stream(anybody), "after=0")
        await listener.hears("id: 1")
        await listener.leaves()

        _, told = listener.heard.split("event: log\ndata: ")
        assert json.loads(told) == {
            "seq": 1,
            "type": "service.paused",
            "subject": "shop",
            "service": "shop",
            "environment": "",
            "actor": "alice",
            "at": "2026-03-02T12:00:00.000000Z",
        }

    play(scene)


def test_who_comes_back_goes_on_where_it_was() -> None:
    happen(4)

    async def scene() -> None:
        listener = Listener(Stream(anybody), "after=1", last_event_id="3")
        await listener.hears("id: 4")
        await listener.leaves()

        assert listener.ids == [4]

    play(scene)


@pytest.mark.parametrize("after", ["", "x", "-1", "99", "1" * 40, "1.5"])
def test_who_names_no_entry_hears_only_what_comes(after: str) -> None:
    happen(2)

    async def scene() -> None:
        listener = Listener(Stream(anybody), f"after={after}")
        await listener.hears("data: 2\n\n")
        await asyncio.to_thread(happen)
        await listener.hears("id: 3")
        await listener.leaves()

        assert listener.ids == [3]

    play(scene)


def test_who_missed_too_much_loads_the_page_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BEHIND_MAX", 2)
    happen(4)

    async def scene() -> None:
        listener = Listener(Stream(anybody), "after=1")
        await listener.hears("event: hello\ndata: 4\n\n")
        await asyncio.to_thread(happen)
        await listener.hears("id: 5")
        await listener.leaves()

        assert listener.ids == [5]

    play(scene)


def test_two_listeners_hear_the_same() -> None:
    async def scene() -> None:
        stream = Stream(anybody)
        both = [Listener(stream), Listener(stream)]
        for listener in both:
            await listener.hears("event: hello")
        await asyncio.to_thread(happen, 2)
        for listener in both:
            await listener.hears("id: 2")
            await listener.leaves()

        assert [listener.ids for listener in both] == [[1, 2], [1, 2]]

    play(scene)


def test_a_stream_goes_on_when_the_database_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    last_seq = events._last_seq

    def away_for_a_moment() -> int:
        asked.append(1)
        if len(asked) == 2:
            raise OperationalError("database is locked")
        return last_seq()

    monkeypatch.setattr(events, "_last_seq", away_for_a_moment)

    async def scene() -> None:
        listener = Listener(Stream(anybody))
        await listener.hears("event: hello")
        await asyncio.to_thread(happen)
        await listener.hears("id: 1")
        await listener.leaves()

    play(scene)


def test_a_quiet_stream_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BEAT_SECONDS", 0.02)

    async def scene() -> None:
        listener = Listener(Stream(anybody))
        await listener.hears(": beat\n\n: beat\n\n")
        await listener.leaves()

    play(scene)


def test_every_stream_ends_at_once_when_the_server_stops() -> None:
    async def scene() -> None:
        stream = Stream(anybody)
        both = [Listener(stream), Listener(stream)]
        for listener in both:
            await listener.hears("event: hello")

        await stream.close()

        await asyncio.wait_for(asyncio.gather(*(one.task for one in both)), 0.5)
        assert [one.is_over for one in both] == [True, True]

    play(scene)


def test_there_are_so_many_streams_and_who_leaves_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events, "LISTENERS_MAX", 1)

    async def scene() -> None:
        stream = Stream(anybody)
        first, second = Listener(stream), Listener(stream)
        await first.hears("event: hello")
        await second.hears("1 streams are open; try again later.")
        assert second.status == 503
        await first.leaves()

        third = Listener(stream)
        await third.hears("event: hello")
        await third.leaves()

    play(scene)


def test_a_stranger_gets_no_stream() -> None:
    async def scene() -> None:
        listener = Listener(Stream(may_read), cookie="steerway=nonsense")
        await listener.hears("Sign in first.")

        assert listener.status == 401
        assert listener.is_over

    play(scene)


def test_a_stream_ends_when_its_listener_may_not_read_any_more() -> None:
    answers = [True, False]

    async def scene() -> None:
        listener = Listener(Stream(lambda _: answers.pop(0), check_seconds=0))
        await asyncio.wait_for(listener.task, SECONDS)

        assert listener.status == 200
        assert listener.is_over

    play(scene)


@pytest.mark.parametrize("is_active", [True, False])
def test_a_session_lets_in_whoever_is_active(*, is_active: bool) -> None:
    guest = User.objects.create_user("guest", role="viewer")
    request = HttpRequest()
    request.session = SessionStore()
    login(request, guest, backend=BACKEND)
    request.session.save()
    User.objects.filter(id=guest.id).update(is_active=is_active)
    cookie = f"other=1; steerway={request.session.session_key}".encode()
    scope: Any = {"client": ("192.0.2.7", 1), "headers": [(b"cookie", cookie)]}

    assert may_read(scope) is is_active


@pytest.mark.parametrize(
    ("client", "allowed"), [(("local", 0), True), (("local", 1), False), (("127.0.0.1", 0), False)]
)
def test_the_local_door_alone_needs_no_session(client: tuple[str, int], *, allowed: bool) -> None:
    scope: Any = {"client": client, "headers": []}

    assert may_read(scope) is allowed
