"""On a real server: nobody on the network looks local, and a link lets one in, not two."""

import http.client
import re
import socket
import stat
import threading

import pytest

from tests.platform.identity.served import Server


def ask(server: Server, method: str, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Forwarded-For": "local"},
        {"X-Forwarded-For": "local, local", "X-Forwarded-Proto": "https"},
        {"X-Real-IP": "local"},
        {"Forwarded": "for=local"},
        {"Remote-Addr": "local"},
        {"REMOTE_ADDR": "local"},
        {"Host": "local"},
    ],
)
def test_no_header_makes_a_network_client_local(server: Server, headers: dict[str, str]) -> None:
    assert ask(server, "GET", "/api/me", **headers).status in (400, 401)
    assert ask(server, "POST", "/api/people", **headers).status in (400, 401, 403)


def test_the_socket_is_for_its_owner_and_makes_the_local_actor(server: Server) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(str(server.socket))
        door.sendall(b"GET /api/me HTTP/1.0\r\nHost: localhost\r\n\r\n")
        answer = door.makefile("rb").read()

    assert b'"name": "local:' in answer
    assert b'"role": "admin"' in answer
    assert stat.S_IMODE(server.socket.stat().st_mode) & 0o077 == 0


def test_of_two_who_use_a_link_at_the_same_time_one_gets_in(server: Server) -> None:
    barrier = threading.Barrier(2)
    statuses: list[int] = []

    def use() -> None:
        browser = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        browser.request("GET", server.link)
        page = browser.getresponse()
        cookie = (page.getheader("Set-Cookie") or "").partition(";")[0]
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
        assert token
        body = f"csrfmiddlewaretoken={token[1]}"
        kind = "application/x-www-form-urlencoded"
        barrier.wait()
        browser.request("POST", server.link, body, {"Cookie": cookie, "Content-Type": kind})
        statuses.append(browser.getresponse().status)
        browser.close()

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [302, 404]
