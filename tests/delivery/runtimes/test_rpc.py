"""Asking a supervisord that may hang, or not be there."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from steerway.delivery.runtimes.adapters.supervisor_rpc import Rpc
from steerway.delivery.runtimes.errors import SupervisorDown


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="sw", dir="/tmp") as directory:
        yield Path(directory)


def test_one_that_hangs_so_long_that_callers_queue_up_is_there_and_does_not_answer(
    place: Path,
) -> None:
    rpc = Rpc(place / "supervisor.sock", place / "supervisord.log")
    with ExitStack() as stack:
        hung = stack.enter_context(socket.socket(socket.AF_UNIX))
        hung.bind(str(rpc.path))
        hung.listen(0)
        caller = stack.enter_context(socket.socket(socket.AF_UNIX))
        caller.connect(str(rpc.path))

        assert rpc.is_there()
        with pytest.raises(SupervisorDown):
            rpc.call("getPID")


def test_one_whose_socket_is_not_there_is_not_there(place: Path) -> None:
    assert not Rpc(place / "supervisor.sock", place / "supervisord.log").is_there()
