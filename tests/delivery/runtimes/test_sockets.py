import os
import socket
from collections.abc import Iterator

import pytest

from steerway.delivery.runtimes.adapters import proc, sockets
from tests.delivery.runtimes.conftest import Stage

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:4E23 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1
   1: 0100007F:4E23 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000001000000:1F90 00000000:0000 0A 0:0 0:0 0 0 0 99
"""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_listening_lines_are_read() -> None:
    assert sockets.listeners(TCP) == {4711: 20003}
    assert sockets.listeners(TCP6) == {99: 8080}


def test_who_listens_is_found(listener: socket.socket) -> None:
    port = listener.getsockname()[1]

    assert sockets.who_listens(port) == os.getpid()
    assert port in sockets.ports_of([os.getpid()])
    assert port in sockets.listening_ports()
    listener.close()
    assert sockets.who_listens(port) is None


def test_a_program_on_another_port_is_told_apart(stage: Stage, listener: socket.socket) -> None:
    code = """
import socket, time
server = socket.create_server(("127.0.0.1", 0)); print(server.getsockname()[1], flush=True)
time.sleep(1000)
"""
    program = stage.python("shop", code)
    stage.begin(program)
    port = int(stage.until_written(program, "\n"))
    taken = listener.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]

    assert stage.supervisor.why_not_listening("shop", free) == (
        f"nothing listens on {free}; the process listens on {port} instead: does it read PORT?"
    )
    assert stage.supervisor.why_not_listening("shop", taken) == (
        f"port {taken} is taken by {sockets.describe(os.getpid())} (process {os.getpid()})"
    )
    assert "does not answer as it should" in stage.supervisor.why_not_listening("shop", port)
    assert "has not started yet" in stage.supervisor.why_not_listening("other", port)


def test_a_process_with_brackets_in_its_name_is_read() -> None:
    line = "42 (a ) b) S 1 42 40 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 987 1 1"

    assert proc.parse_stat(line) == proc.Stat(42, "S", 1, 42, 40, 987)
