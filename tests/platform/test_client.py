"""The command line's way to the server, against small servers of its own."""

import json
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from steerway.platform.client import Client, Problem, ServerDown, visible

Heard = list[bytes]


@contextmanager
def answering(listener: socket.socket, answer: bytes) -> Iterator[Heard]:
    """A server that gives one answer, whatever it is asked, and hangs up."""
    heard: Heard = []

    def serve() -> None:
        asker, _ = listener.accept()
        with asker:
            asked = b""
            while not _is_whole(asked):
                asked += asker.recv(65536)
            heard.append(asked)
            asker.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    with listener:
        listener.settimeout(5)
        listener.listen()
        thread.start()
        yield heard
        thread.join(5)


def _is_whole(asked: bytes) -> bool:
    head, parted, body = asked.partition(b"\r\n\r\n")
    sizes = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    size = int(sizes[0].partition(b":")[2]) if sizes else 0
    return bool(parted) and len(body) >= size


def on_network() -> tuple[socket.socket, str]:
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def answer(status: str, body: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", body]
    return "\r\n".join(lines).encode()


def said(status: str, body: str, *headers: str) -> Problem:
    """The problem that an answer becomes."""
    listener, where = on_network()
    with answering(listener, answer(status, body, *headers)), pytest.raises(Problem) as caught:
        Client(where).get("/api/status")
    return caught.value


def test_the_owner_speaks_through_the_socket_without_a_token() -> None:
    with tempfile.TemporaryDirectory(prefix="sw") as home:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{home}/server.sock")

        with answering(listener, answer("200 OK", '{"services": 3}')) as heard:
            found = Client(f"{home}/server.sock").get("/api/status")

    assert found == {"services": 3}
    assert heard[0].startswith(b"GET /api/status HTTP/1.1\r\n")
    assert b"authorization" not in heard[0].lower()


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_a_token_and_a_body_go_to_a_server_elsewhere(method: str) -> None:
    listener, where = on_network()

    with answering(listener, answer("201 Created", '{"ref": "DEP-1"}')) as heard:
        found = getattr(Client(where, token="swy_1"), method)("/api/x", {"service": "shop"})

    assert found == {"ref": "DEP-1"}
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(f"{method.upper()} /api/x HTTP/1.1".encode())
    assert b"Authorization: Bearer swy_1" in head
    assert b"Content-Type: application/json" in head
    assert json.loads(body) == {"service": "shop"}


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/api/services/sh\N{LATIN SMALL LETTER O WITH DIAERESIS}p", b"/api/services/sh%C3%B6p"),
        ("/api/changes/CHG 1", b"/api/changes/CHG%201"),
        ("/api/log?service=a&since=24h", b"/api/log?service=a&since=24h"),
        ("/api/log?subject=a%20b", b"/api/log?subject=a%20b"),
    ],
)
def test_whatever_is_typed_can_be_asked_for(path: str, sent: bytes) -> None:
    listener, where = on_network()

    with answering(listener, answer("200 OK", "{}")) as heard:
        Client(where).get(path)

    assert heard[0].startswith(b"GET " + sent + b" HTTP/1.1")


def test_an_empty_answer_is_none() -> None:
    listener, where = on_network()

    with answering(listener, answer("204 No Content", "")):
        assert Client(where).delete("/api/freeze") is None


def test_a_problem_carries_what_the_server_said() -> None:
    body = json.dumps({"type": "/errors/busy", "title": "Refused", "detail": "DEP-1 deploys."})

    problem = said("409 Conflict", body, "Content-Type: application/problem+json")

    assert (problem.status, problem.kind, str(problem)) == (409, "busy", "DEP-1 deploys.")
    assert problem.problem["title"] == "Refused"


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        ("404 Not Found", "<html>", "The server answers 404 Not Found."),
        ("500 Internal Server Error", "oops", "The server failed. See log/server.log"),
        ("502 Bad Gateway", "[]", "[]"),
        ("403 Forbidden", '{"title": "Not allowed"}', "Not allowed"),
        ("418 Teapot", "{}", "HTTP 418"),
    ],
)
def test_an_answer_of_no_is_a_sentence_whatever_it_looks_like(
    status: str, body: str, sentence: str
) -> None:
    assert sentence in str(said(status, body))


def test_lines_come_as_they_are_sent() -> None:
    listener, where = on_network()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"5\r\none\r\n\r\n4\r\ntwo\n\r\n0\r\n\r\n"

    with answering(listener, head + body):
        assert list(Client(where).lines("/api/log/export")) == ["one", "two"]


def test_lines_of_a_problem_are_the_problem() -> None:
    listener, where = on_network()

    no = answer("403 Forbidden", '{"detail": "Ask an admin."}')

    with answering(listener, no), pytest.raises(Problem, match="Ask an admin"):
        list(Client(where).lines("/api/log/export"))


def test_a_stream_that_breaks_is_said_so() -> None:
    listener, where = on_network()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    with answering(listener, head + b"4\r\none\n\r\n9\r\ntw"):
        lines = Client(where).lines("/api/log/export")
        assert next(lines) == "one"
        with pytest.raises(ServerDown, match="does not answer"):
            list(lines)


def test_who_stops_reading_a_stream_leaves_no_connection() -> None:
    listener, where = on_network()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    with answering(listener, head + b"4\r\none\n\r\n4\r\ntwo\n\r\n"):
        lines = Client(where).lines("/api/log/export")
        assert next(lines) == "one"
        lines.close()  # type: ignore[attr-defined] # it is a generator


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_a_server_that_hangs_up_does_not_answer(begun: bytes) -> None:
    listener, where = on_network()

    with answering(listener, begun), pytest.raises(ServerDown, match="does not answer"):
        Client(where).get("/api/status")


def test_another_program_on_the_port_is_not_taken_for_steerway() -> None:
    listener, where = on_network()

    other = answer("200 OK", "<html>hello</html>")

    with answering(listener, other), pytest.raises(ServerDown, match="is not Steerway"):
        Client(where).get("/api/status")


def test_a_server_that_is_not_there_says_how_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(ServerDown) as caught:
        Client(str(tmp_path / "no.sock")).get("/api/status")

    assert str(caught.value) == (
        f"The server at {tmp_path}/no.sock does not answer (it is not running). "
        "Start it with `steerway up`."
    )


def test_a_port_that_nobody_has_is_refused() -> None:
    listener, where = on_network()
    listener.close()

    with pytest.raises(ServerDown, match="connection refused"):
        Client(where).get("/api/status")


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("plain ascii, grüße, 日本, 👩‍🚀", "plain ascii, grüße, 日本, 👩‍🚀"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b]52;c;cm0gLXJmIC8=\x07", "\\x1b]52;c;cm0gLXJmIC8=\\x07"),
        ("\x1b[2J\x9b2J", "\\x1b[2J\\x9b2J"),
        ("over\rwritten", "over\\rwritten"),
        ("lines\r\nand\ttabs\n", "lines\r\nand\ttabs\n"),
        ("admin\u202enimda\u2066", "admin\\u202enimda\\u2066"),
    ],
)
def test_a_terminal_shows_what_it_would_obey(printed: str, shown: str) -> None:
    assert visible(printed) == shown


def test_texts_of_an_answer_are_visible_wherever_they_are() -> None:
    listener, where = on_network()
    body = json.dumps({"replicas": [{"lines": ["a\x1bc"], "position": 3}]})

    with answering(listener, answer("200 OK", body)):
        found = Client(where).get("/api/services/shop/logs")

    assert found == {"replicas": [{"lines": ["a\\x1bc"], "position": 3}]}
    assert said("409 Conflict", '{"detail": "no\\u001b[2J"}').problem["detail"] == "no\\x1b[2J"
