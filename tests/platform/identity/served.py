"""The real server of `live.py`, started and ended for a module of tests."""

import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Server:
    """Where it is, and a link for carol."""

    home: Path
    port: int
    socket: Path
    link: str


@contextmanager
def serving() -> Iterator[Server]:
    """The server in a process of its own."""
    home = Path(tempfile.mkdtemp(prefix="sw", dir="/tmp"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.platform.identity.live", str(home), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        link = process.stdout.readline().strip()
        try:
            _wait_for(port, home / "run" / "server.sock")
            yield Server(home, port, home / "run" / "server.sock", link)
        finally:
            process.terminate()
            process.wait(10)
    shutil.rmtree(home)


def _wait_for(port: int, path: Path) -> None:
    for family, address in ((socket.AF_INET, ("127.0.0.1", port)), (socket.AF_UNIX, str(path))):
        for _ in range(500):
            with socket.socket(family) as door:
                if door.connect_ex(address) == 0:
                    break
            threading.Event().wait(0.02)
