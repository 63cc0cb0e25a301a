"""The engine among processes: killed, met twice, forked, and ended in the middle of a query."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from steerway.telemetry.store import Store, StoreDown
from tests.telemetry.store.writing import BATCH_ROWS

WRITING = Path(__file__).with_name("writing.py")
ENDLESS = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"
BUSY = """
import sys
from steerway.platform.errors import SteerwayError
from steerway.platform.settings import load
from steerway.telemetry import store
try:
    store.open(load({"STEERWAY_HOME": sys.argv[1]}))
except SteerwayError as error:
    print(error.code(), error)
"""
ENDS = f"""
import sys, threading
from steerway.platform.settings import load
from steerway.telemetry import store
opened = store.open(load({{"STEERWAY_HOME": sys.argv[1]}}))
threading.Thread(target=lambda: opened.table("{ENDLESS}"), daemon=True).start()
while not opened.table("SELECT 1 FROM system.processes WHERE query LIKE '%numbers(1000%'"
                       " AND query NOT LIKE '%system%'").num_rows:
    pass
{{end}}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@contextmanager
def writer(home: Path, told: int) -> Iterator[tuple["subprocess.Popen[str]", Iterator[str]]]:
    command = [sys.executable, str(WRITING), str(home), str(told)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            process.kill()


def test_a_kill_in_the_middle_of_inserts_loses_and_doubles_nothing(home: Path) -> None:
    told = 0
    for batches in (3, 7, 5):
        with writer(home, told) as (process, lines):
            assert_whole(next(lines), told)
            while told < batches:
                told = int(next(lines)) + 1
            process.send_signal(signal.SIGKILL)
            told = max([told, *(int(line) + 1 for line in lines if line.endswith("\n"))])

    with writer(home, told) as (_, lines):
        assert_whole(next(lines), told)
        next(lines)
    with writer(home, told + 1) as (_, lines):
        rolled = json.loads(next(lines).removeprefix("open "))["rolled"]
    windows = rolled["n"] // 3000
    assert windows >= told + 1
    assert rolled == {"n": windows * 3000, "s": windows * 2990.0}


def assert_whole(line: str, told: int) -> None:
    """Every batch that was told of is there, once; the one after it may be there in part."""
    found = json.loads(line.removeprefix("open "))["found"]
    assert [row for row in found if row[0] < told] == [
        [n, BATCH_ROWS, BATCH_ROWS] for n in range(told)
    ]
    assert all(rows == copies for _, rows, copies in found)
    assert len(found) <= told + 1


def test_a_second_process_is_told_who_has_the_store(engine: Store, telemetry_home: Path) -> None:
    done = run(BUSY, telemetry_home.parent)

    assert f"in use by another process (pid {os.getpid()})" in done.stdout
    assert done.stdout.startswith("store-busy Telemetry in")


@pytest.mark.parametrize("end", ["store.close()", ""])
def test_a_process_ends_well_while_a_query_runs(home: Path, end: str) -> None:
    done = run(ENDS.replace("{end}", end), home)

    assert done.returncode == 0, done.stderr


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # that is the point
def test_a_child_of_the_process_is_refused(engine: Store) -> None:
    child = os.fork()
    if not child:
        code = 1
        try:
            engine.table("SELECT 1")
        except StoreDown:
            code = 7
        finally:
            os._exit(code)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_store_that_is_not_open_says_why() -> None:
    child = (
        "import steerway.telemetry.store as s\ntry: s.current()\nexcept s.StoreDown as e: print(e)"
    )

    assert "Telemetry is starting" in run(child, Path()).stdout


def test_distributed_tables_take_and_give_what_one_table_does(home: Path) -> None:
    script = Path(__file__).with_name("clustered.py").read_text()

    done = run(script, home)

    assert json.loads(done.stdout or "{}") == {
        "sum": 44_850.0,
        "stored": 300,
        "rise": [299.0],
        "logs": ["y"],
        "tables": ["logs", "progress", "samples", "samples_5m", "series"],
    }, done.stderr


def run(code: str, home: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", code, str(home)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
