"""Whoever connects and says nothing, or too little, is hung up on."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from steerway.app.connections import Connection


class Impatient(Connection):
    """The same with less of everything."""

    connections_max = 3
    head_seconds = 0.2


async def _hello(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """Where a small server listens."""
    config = uvicorn.Config(
        _hello, http=Impatient, lifespan="off", log_config=None, timeout_keep_alive=5
    )
    server = uvicorn.Server(config)
    door = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([door],))
    thread.start()
    yield door.getsockname()
    server.should_exit = True
    thread.join(10)


def _connect(address: tuple[str, int], said: bytes = b"") -> socket.socket:
    found = socket.create_connection(address, timeout=5)
    found.sendall(said)
    return found


def _answer(connection: socket.socket) -> bytes:
    answer = b""
    while not answer.endswith(b"hello"):
        answer += connection.recv(1000)
    return answer


def _is_hung_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(1000) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_who_does_not_ask_is_hung_up_on(address: tuple[str, int], said: bytes) -> None:
    with _connect(address, said) as silent:
        assert _is_hung_up(silent)


def test_a_second_head_may_not_come_slowly_either(address: tuple[str, int]) -> None:
    with _connect(address, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") as asker:
        assert _answer(asker)
        asker.sendall(b"GET / HTTP/1.1\r\n")

        assert _is_hung_up(asker)


def test_only_so_many_are_taken(address: tuple[str, int]) -> None:
    many = [_connect(address, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(3)]
    answers = [_answer(one) for one in many]

    with _connect(address) as late:
        assert _is_hung_up(late)
    for one in many:
        one.close()
    assert len(answers) == 3
