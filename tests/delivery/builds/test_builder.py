"""Builds by real programs: in a clean place, limited, and gone afterwards."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from steerway.delivery.builds import errors
from steerway.delivery.builds.adapters.builder import Builder, Job
from steerway.delivery.builds.adapters.processes import end_marked
from steerway.delivery.builds.descriptor import BuildSection
from steerway.platform.db import new_id
from tests.delivery.builds.stage import (
    HOST,
    commanded,
    export,
    files_of,
    is_empty,
    processes,
    refusal,
)


def test_a_command_builds_in_a_copy(builder: Builder) -> None:
    job = commanded("mkdir out && tr a b < a.txt > out/b.txt")

    assert files_of(builder, job) == {"a.txt": "a", "out/b.txt": "b"}
    assert is_empty(builder)


def test_the_environment_is_clean(builder: Builder) -> None:
    job = commanded("env > env.txt", environment={"BEANS": "3"})

    lines = files_of(builder, job)["env.txt"].splitlines()
    names = {line.partition("=")[0] for line in lines}

    assert {"BEANS", "PATH", "HOME", "SOURCE_DATE_EPOCH"} <= names
    assert not names & {"SECRET_OF_THE_HOST", "STEERWAY_HOME", "PYTHONPATH", "USER"}
    assert f"HOME={builder.home}/builds/{job.id}/home" in lines


def test_the_log_has_moments_and_everything_printed(builder: Builder) -> None:
    job = commanded("echo one; echo two >&2; printf three")

    files_of(builder, job)

    lines = builder.log(job.id).read_text().splitlines()
    assert [line.partition(" ")[2] for line in lines] == [
        "$ echo one; echo two >&2; printf three",
        "one",
        "two",
        "three",
    ]
    assert all(line.partition(" ")[0].endswith("Z") for line in lines)


def test_the_log_can_be_read_while_the_build_runs(builder: Builder, tmp_path: Path) -> None:
    seen: list[str] = []

    def cancelled() -> bool:
        seen.append(builder.log(job.id).read_text())
        if "waiting" in seen[-1]:
            (tmp_path / "go").touch()
        return False

    waits = f"echo waiting; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
    job = Job(new_id(), BuildSection(command=waits), export({}), cancelled)

    files_of(builder, job)

    assert any("waiting" in text for text in seen)


def test_a_failing_command_says_how_it_ended(builder: Builder) -> None:
    sentence = refusal(builder, commanded("echo oh; exit 3"), errors.StepFailed)

    assert sentence == "`echo oh; exit 3` ended with exit code 3"


def test_a_program_that_is_not_installed(builder: Builder) -> None:
    bare = Builder(builder.home, {"PATH": str(builder.home)})
    job = Job(new_id(), BuildSection(), export({"package.json": '{"scripts": {"build": "x"}}'}))

    assert "npm is not installed" in refusal(bare, job, errors.StepFailed)


def test_a_build_has_a_time(builder: Builder) -> None:
    began = time.monotonic()

    sentence = refusal(builder, commanded("sleep 60", timeout="1s"), errors.StepFailed)

    assert sentence == "`sleep 60` did not end within 1 s, the build's timeout"
    assert time.monotonic() - began < 10


def test_a_build_that_ignores_being_asked_is_ended(builder: Builder) -> None:
    job = commanded("trap '' TERM; while :; do sleep 0.05; done", timeout="1s")

    refusal(builder, job, errors.StepFailed)

    assert processes(f"STEERWAY_BUILD={job.id}") == 0


def test_a_cancelled_build_leaves_nothing(builder: Builder) -> None:
    looks = count()
    section = BuildSection(command="setsid sleep 60 & sleep 60")
    job = Job(new_id(), section, export({}), lambda: next(looks) > 2)

    assert "was cancelled" in refusal(builder, job, errors.Stopped)
    assert processes(f"STEERWAY_BUILD={job.id}") == 0


def test_programs_left_running_are_ended_when_the_build_succeeds(builder: Builder) -> None:
    job = commanded("setsid sleep 60 > /dev/null 2>&1 & echo started")

    files_of(builder, job)

    assert processes(f"STEERWAY_BUILD={job.id}") == 0


def test_what_a_killed_server_left_is_swept(builder: Builder) -> None:
    left, running = new_id(), new_id()
    for build in (left, running):
        (builder.home / "builds" / str(build) / "tree").mkdir(parents=True)
    mark = f"STEERWAY_BUILD={left}"
    orphan = subprocess.Popen(["sleep", "60"], env={"PATH": os.defpath, mark[:14]: str(left)})

    assert builder.sweep({running}) == [left]

    assert orphan.wait(5) == -9
    assert [p.name for p in (builder.home / "builds").iterdir()] == [str(running)]
    assert end_marked(mark) == 0


SERVER = """
import sys, uuid
from pathlib import Path
from steerway.delivery.builds.adapters.builder import Builder, Job
from steerway.delivery.builds.descriptor import BuildSection
builder = Builder(Path(sys.argv[1]), {"PATH": sys.argv[3]})
section = BuildSection(command="setsid sleep 60 & echo begun; sleep 60")
with builder.build(Job(uuid.UUID(sys.argv[2]), section, lambda into: None)):
    pass
"""


def test_a_build_whose_server_is_killed_leaves_nothing_after_a_sweep(builder: Builder) -> None:
    build = new_id()
    arguments = [sys.executable, "-c", SERVER, str(builder.home), str(build), HOST["PATH"]]
    server = subprocess.Popen(arguments)
    deadline = time.monotonic() + 20
    while not (builder.log(build).exists() and "Z begun" in builder.log(build).read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    server.kill()
    server.wait()
    assert processes(f"STEERWAY_BUILD={build}") >= 2

    assert builder.sweep(set()) == [build]

    assert processes(f"STEERWAY_BUILD={build}") == 0
    assert is_empty(builder)


def test_old_logs_and_a_large_cache_are_swept(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steerway.delivery.builds.adapters.builder.LOGS_MAX", 1)
    monkeypatch.setattr("steerway.delivery.builds.adapters.builder.CACHE_BYTES_MAX", 3)
    cache = builder.home / "builds" / "cache"
    cache.mkdir(parents=True)
    (cache / "package").write_text("beans")
    old, new = new_id(), new_id()
    for moment, build in enumerate((old, new)):
        builder.log(build).parent.mkdir(parents=True, exist_ok=True)
        builder.log(build).touch()
        os.utime(builder.log(build), (moment, moment))

    builder.sweep({new_id()})
    assert cache.exists()

    builder.sweep(set())
    assert not cache.exists()
    assert (builder.log(old).exists(), builder.log(new).exists()) == (False, True)


def test_output_has_a_limit(builder: Builder) -> None:
    waits = "while :; do head -c 200000 /dev/zero >> big; sleep 0.02; done"
    job = commanded(waits, limits={"output": "1MB"})

    assert "wrote more than 1 MB" in refusal(builder, job, errors.StepFailed)


def test_output_of_a_quick_command_has_a_limit(builder: Builder) -> None:
    job = commanded("head -c 2000000 /dev/zero > big", limits={"output": "1MB"})

    assert "wrote more than 1 MB" in refusal(builder, job, errors.StepFailed)


def test_a_log_has_a_limit_and_the_build_goes_on(builder: Builder) -> None:
    job = commanded("yes beans | head -n 20000; touch done", limits={"log": "10kB"})

    assert "done" in files_of(builder, job)

    text = builder.log(job.id).read_text()
    assert len(text) < 10_200
    assert text.endswith("The log is full; the rest is not kept.\n")


def test_a_line_without_an_end_is_broken(builder: Builder) -> None:
    job = commanded("head -c 10000 /dev/zero | tr '\\0' x")

    files_of(builder, job)

    lines = builder.log(job.id).read_text().splitlines()[1:]
    assert [len(line.partition(" ")[2]) for line in lines] == [4000, 4000, 2000]


def test_a_full_disk_stops_a_build_before_it_begins(tmp_path: Path) -> None:
    builder = Builder(tmp_path / "home", HOST, free_bytes_min=10**18)

    with pytest.raises(errors.DiskFull, match=r"The disk of .* is full: .* a build needs"):
        builder.build(commanded("touch x")).__enter__()
    assert not (tmp_path / "home" / "builds").exists()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    place = tmp_path / "tiny"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine mounts nothing")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_fills_during_a_build_is_one_sentence(tiny_disk: Path) -> None:
    builder = Builder(tiny_disk, HOST, free_bytes_min=4 * 10**6)

    sentence = refusal(builder, commanded("head -c 20000000 /dev/zero > big"), errors.DiskFull)

    assert "is full" in sentence


def test_permissions_of_a_build_do_not_keep_its_files(builder: Builder) -> None:
    refusal(builder, commanded("mkdir -p a/b && chmod 0 a/b a; exit 1"), errors.StepFailed)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"package.json": "{"}, "package.json is not valid JSON"),
        ({"package.json": "[]"}, "package.json is not an object"),
        ({"pyproject.toml": "["}, "pyproject.toml is not valid TOML"),
        ({"requirements.txt": "", ".venv/x": ""}, ".venv is in the repository"),
        ({"package.json": "{}", "node_modules/x": ""}, "node_modules is in the repository"),
    ],
)
def test_files_that_cannot_be_built_say_why(
    builder: Builder, files: dict[str, str], words: str
) -> None:
    assert words in refusal(
        builder, Job(new_id(), BuildSection(), export(files)), errors.SourceUnready
    )
