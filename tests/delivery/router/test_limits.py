"""What the router answers itself: unknown hosts, and requests that are too much."""

import json
import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.delivery.router.stage import Answer, Replica, Stage, replicas, shop, table, version

HOST = "shop.localhost"
KB = 1000


@pytest.fixture(scope="module")
def replica(router: Stage) -> Iterator[Replica]:
    with replicas("one") as (one,):
        host = shop(("shop-1", 100), body_bytes=100 * KB, timeout=timedelta(milliseconds=400))
        router.envoy.apply(table(host, version("shop-1", one)))
        yield one


def raw(router: Stage, request: bytes, *, until: bytes = b"}\n") -> bytes:
    """What comes back for these bytes."""
    with socket.create_connection(("127.0.0.1", router.site.port), timeout=5) as connection:
        connection.sendall(request)
        answer = b""
        while not answer.endswith(until):
            part = connection.recv(65_536)
            assert part, answer
            answer += part
    return answer


def test_an_unknown_host_gets_an_honest_answer(router: Stage, replica: Replica) -> None:
    status, body, headers = router.ask("nobody.localhost", headers={"accept": "application/json"})

    problem = json.loads(body)
    assert (status, problem["status"]) == (404, 404)
    assert problem["detail"] == "Steerway has no service at this host."
    assert headers["content-type"] == "application/problem+json"
    assert "server" not in headers


def test_a_browser_gets_a_page(router: Stage, replica: Replica) -> None:
    status, body, headers = router.ask(
        "nobody.localhost", headers={"accept": "text/html,*/*;q=0.8"}
    )

    assert status == 404
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert "<p>Steerway has no service at this host.</p>" in body


def test_every_name_of_a_service_works_with_and_without_a_port(
    router: Stage, replica: Replica
) -> None:
    names = [HOST, f"{HOST}:{router.site.port}", "shop.production.localhost", "SHOP.localhost"]

    answers = [router.ask(name)[:2] for name in names]

    assert answers == [(200, "one")] * 4
    assert replica.seen[-3][2]["host"] == f"{HOST}:{router.site.port}"


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_over_the_limit_is_refused(
    router: Stage, replica: Replica, is_chunked: bool
) -> None:
    before = len(replica.seen)
    size = b"content-length: 100001"
    start = b"POST / HTTP/1.1\r\nhost: shop.localhost\r\nconnection: close\r\n"
    chunked = b"transfer-encoding: chunked\r\n\r\n186a1\r\n" + b"x" * 100_001 + b"\r\n0\r\n\r\n"

    answer = raw(router, start + (chunked if is_chunked else size + b"\r\n\r\n"))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"larger than this service accepts" in answer
    assert len(replica.seen) == before


def test_a_body_at_the_limit_arrives(router: Stage, replica: Replica) -> None:
    answer = router.ask(HOST, method="POST", body=b"x" * 100 * KB)

    assert answer[:2] == (200, "one 100000")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"big": "x" * 70_000}, 431),
        ({f"h{n}": "x" for n in range(120)}, 431),
        ({"one_two": "x"}, 400),
    ],
)
def test_headers_that_are_too_much_are_refused(
    router: Stage, replica: Replica, headers: dict[str, str], status: int
) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"GET / HTTP/1.1\r\nhost: {HOST}\r\n{lines}\r\n"

    answer = raw(router, request.encode())

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"application/problem+json" in answer


def test_clients_cannot_forge_their_address_or_the_routers_own_headers(
    router: Stage, replica: Replica
) -> None:
    forged = {
        "x-forwarded-for": "10.0.0.1",
        "x-real-ip": "10.0.0.1",
        "forwarded": "for=10.0.0.1",
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-request-id": "<script>",
    }

    router.ask(HOST, "/a/../b", headers=forged)

    _, path, headers = replica.seen[-1]
    assert path == "/b"
    assert "10.0.0.1" not in headers["x-forwarded-for"]
    assert headers["x-request-id"] != "<script>"
    assert not {"x-real-ip", "forwarded", "x-envoy-upstream-rq-timeout-ms"} & headers.keys()


def test_a_service_that_takes_too_long_is_given_up(router: Stage, replica: Replica) -> None:
    replica.act = lambda answer: answer.say_later(timedelta(seconds=1))
    status, body, _ = router.ask(HOST)
    replica.act = None

    assert status == 504
    assert json.loads(body)["detail"] == "The service took too long to answer."


def test_a_web_socket_passes(router: Stage, replica: Replica) -> None:
    def upgrade(answer: Answer) -> None:
        answer.send_response(101)
        answer.send_header("connection", "upgrade")
        answer.send_header("upgrade", "websocket")
        answer.end_headers()
        answer.wfile.flush()
        said = answer.rfile.read(5)
        answer.wfile.write(said.upper())
        answer.close_connection = True

    replica.act = upgrade
    request = b"GET / HTTP/1.1\r\nhost: shop.localhost\r\nconnection: upgrade\r\n"
    answer = raw(router, request + b"upgrade: websocket\r\n\r\nhello", until=b"HELLO")
    replica.act = None

    assert answer.startswith(b"HTTP/1.1 101 ")
    assert answer.endswith(b"HELLO")
