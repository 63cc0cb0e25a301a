import os
import subprocess
import sys
from pathlib import Path

import pytest

from steerway.delivery.runtimes.adapters import logs, proc
from tests.delivery.runtimes.conftest import Stage

LINES = 60_000
WRITER = f"""
import sys
for number in range({LINES}):
    print(f"line {{number:08}} " + "." * 40)
    if number % 100 == 0: sys.stdout.flush()
"""


def _all(log: Path) -> str:
    archives = sorted(log.parent.glob(f"{log.name}.*"), reverse=True)
    return "".join(file.read_text() for file in (*archives, log))


def test_a_short_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "shop.log"
    log.write_text("hello\n")

    assert logs.rotate(log, size_max=6) is None
    assert logs.rotate(tmp_path / "missing.log") is None
    assert _all(log) == "hello\n"


def test_logs_of_replicas_that_are_long_gone_are_deleted_and_no_others(tmp_path: Path) -> None:
    gone, live = "shop.production.9c41d2aa.0", "shop.production.0123abcd.0"
    old = [f"{gone}.log", f"{gone}.log.1", f"{live}.log", "server.log", "access.log.2", "notes.txt"]
    for name in [*old, "shop.production.9c41d2ab.0.log"]:
        (tmp_path / name).touch()
    for name in old:
        os.utime(tmp_path / name, (100, 100))

    deleted = logs.forget(tmp_path, [live, "server"], before=200)

    assert sorted(deleted) == [f"{gone}.log", f"{gone}.log.1"]
    assert len(list(tmp_path.iterdir())) == 5


def test_no_line_is_lost_while_a_log_rotates_under_its_writer(tmp_path: Path) -> None:
    log = tmp_path / "shop.log"
    with log.open("ab") as file:
        writer = subprocess.Popen([sys.executable, "-c", WRITER], stdout=file)
    rotations = []

    while writer.poll() is None:
        rotations.append(logs.rotate(log, size_max=100_000, keep=500))

    done = [it for it in rotations if it]
    assert done
    if not all(it.is_lossless for it in done):
        pytest.skip("this file system cannot cut off the front of a file")
    expected = [f"line {number:08} " + "." * 40 for number in range(LINES)]
    numbered = sorted(tmp_path.glob("*.log.*"), key=lambda it: -int(it.suffix[1:]))
    text = "".join(file.read_text() for file in (*numbered, log))
    assert text.splitlines() == expected


def test_without_help_of_the_file_system_a_log_is_copied_and_truncated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "shop.log"
    text = "".join(f"{number}\n" for number in range(5000))
    monkeypatch.setattr(logs, "_collapse", lambda *_: False)

    with log.open("a") as writer:
        writer.write(text)
        writer.flush()
        rotation = logs.rotate(log, size_max=1000)
        writer.write("after\n")

    assert rotation == (len(text), False)
    assert _all(log) == text + "after\n"
    assert log.read_text() == "after\n"


def test_old_archives_go(tmp_path: Path) -> None:
    log = tmp_path / "shop.log"
    for number in range(6):
        with log.open("a") as file:
            file.write(f"{number}" * 10_000)
        logs.rotate(log, size_max=5000, keep=3)

    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "shop.log",
        "shop.log.1",
        "shop.log.2",
        "shop.log.3",
    ]
    logs.remove(log, keep=3)
    assert not list(tmp_path.iterdir())


def test_the_end_of_a_log_reaches_into_its_archive(tmp_path: Path) -> None:
    log = tmp_path / "shop.log"
    log.write_bytes(b"new\n")
    (tmp_path / "shop.log.1").write_bytes(b"older\nold\n")

    assert logs.tail(log, 8) == "old\nnew\n"
    assert logs.tail(log, 3) == "ew\n"
    assert logs.tail(tmp_path / "missing", 10) == ""


def test_a_running_program_goes_on_writing_after_a_rotation(stage: Stage) -> None:
    code = "import sys\nfor line in iter(int, 1): print('.' * 999, flush=True)"
    program = stage.python("shop", code)
    stage.begin(program)
    assert proc.wait(lambda: program.log.stat().st_size > logs.SIZE_MAX, 15)

    assert stage.supervisor.rotate() == ["shop"]

    size = program.log.stat().st_size
    assert proc.wait(lambda: program.log.stat().st_size > size, 15)
    assert program.log.with_name("shop.out.1").stat().st_size > logs.SIZE_MAX // 2
    stage.supervisor.stop("shop")
    assert stage.supervisor.tail("shop", 2000).splitlines()[-1] == "." * 999
