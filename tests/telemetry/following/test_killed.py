"""A process that follows a log is killed, really, while a program prints and its log is cut."""

import json
import subprocess
import sys
import threading
from pathlib import Path

from steerway.delivery.runtimes.adapters import logs as runtime
from tests.telemetry.following import follow_forever

LINES = 6000
PROGRAM = [sys.executable, follow_forever.__file__]


def printing(log: Path, stop: threading.Event) -> None:
    """Print all lines, some at a time; cut the log now and then, as its supervisor does."""
    for number in range(0, LINES, 20):
        with log.open("a") as file:
            file.writelines(f"line {n}\n" for n in range(number, number + 20))
        if number % 2000 == 1000:
            runtime.rotate(log, size_max=1000)
        stop.wait(0.005)


def test_no_line_is_lost_or_stored_twice_when_the_server_is_killed(tmp_path: Path) -> None:
    home, log = tmp_path / "home", tmp_path / "a.0.log"
    home.mkdir()
    log.touch()
    program = threading.Thread(target=printing, args=(log, threading.Event()))
    for looks in (3, 8):
        killed = subprocess.Popen(
            [*PROGRAM, str(home), str(log), "0"], stdout=subprocess.PIPE, text=True
        )
        assert killed.stdout is not None
        for _ in range(looks):
            assert killed.stdout.readline() == "looked\n"
            if program.ident is None:
                program.start()
        killed.kill()
        killed.wait()
        killed.stdout.close()
    program.join()

    last = subprocess.run(
        [*PROGRAM, str(home), str(log), str(LINES)], capture_output=True, text=True, check=True
    )

    texts = json.loads(last.stdout.splitlines()[-1])
    assert sorted(texts) == sorted(f"line {n}" for n in range(LINES))
    assert list(reversed(texts)) == [f"line {n}" for n in range(LINES)]
