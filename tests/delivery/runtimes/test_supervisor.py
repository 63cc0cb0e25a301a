"""Programs under supervisord: started, ended with all they started, kept alive, told of."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from steerway.delivery.runtimes.adapters.supervisor import Supervisor
from steerway.delivery.runtimes.errors import HomeTooLong, ProgramUnknown
from steerway.delivery.runtimes.rules import ProcessState, Program
from tests.delivery.runtimes.conftest import Stage, is_running

SLEEP = ("sleep", "1000")


def test_a_program_is_started_stopped_and_removed(stage: Stage) -> None:
    program = stage.program("shop.production.0a1b2c3d.0", *SLEEP)

    running = stage.begin(program)
    assert running.pid
    assert is_running(running.pid)
    stage.supervisor.stop(program.name)
    assert not is_running(running.pid)
    assert stage.supervisor.processes()[program.name].state is ProcessState.STOPPED
    stage.supervisor.remove(program.name)
    stage.supervisor.remove(program.name)

    assert stage.supervisor.processes() == {}
    assert [file.name for file in stage.home.rglob("*shop*") if file.is_file()] == [
        "shop.production.0a1b2c3d.0.out"
    ]


def test_adding_the_same_program_again_changes_nothing(stage: Stage) -> None:
    program = stage.program("shop", *SLEEP)
    before = stage.begin(program)

    assert not stage.supervisor.add(program)
    stage.supervisor.start("shop")

    assert stage.supervisor.processes()["shop"].pid == before.pid


def test_a_changed_program_replaces_the_one_that_runs(stage: Stage) -> None:
    before = stage.begin(stage.program("shop", *SLEEP))
    changed = stage.program("shop", "sleep", "2000", stop_signal="INT")

    assert stage.supervisor.add(changed)

    assert before.pid
    assert not is_running(before.pid)
    assert stage.supervisor.processes()["shop"].state is ProcessState.STOPPED
    assert "stopsignal=INT" in (stage.home / "run/conf.d/shop.ini").read_text()
    assert stage.begin(changed).pid


def test_others_keep_running_while_programs_come_and_go(stage: Stage) -> None:
    before = stage.begin(stage.program("shop", *SLEEP))

    stage.begin(stage.program("other", *SLEEP))
    stage.supervisor.remove("other")

    assert stage.supervisor.processes()["shop"].pid == before.pid


def test_what_was_never_added_cannot_start_and_need_not_stop(stage: Stage) -> None:
    with pytest.raises(ProgramUnknown, match="There is no program shop"):
        stage.supervisor.start("shop")

    stage.supervisor.stop("shop")
    stage.supervisor.remove("shop")


def test_a_killed_program_is_started_again_and_its_end_is_told(stage: Stage) -> None:
    first = stage.begin(stage.program("shop", *SLEEP))
    assert first.pid

    os.kill(first.pid, signal.SIGKILL)

    second = stage.until("shop", lambda it: it.pid not in (None, first.pid))
    assert (second.exits, second.crashes) == (1, 1)
    assert second.last_exit == "terminated by SIGKILL"


def test_a_crash_loop_backs_off_and_says_so(stage: Stage) -> None:
    program = stage.program("shop", "sh", "-c", "echo born; exit 7")
    stage.supervisor.add(program)
    stage.supervisor.start("shop")

    third = stage.until("shop", lambda it: it.crashes == 3 and it.resumes_at is not None)

    assert third.state is ProcessState.BACKOFF
    assert third.last_exit == "exit status 7"
    assert third.pid is None
    said = program.log.read_text()
    assert said.count("born\n") == 3
    assert "steerway: shop ended (exit status 7); starting again in 2 s" in said
    stage.supervisor.stop("shop")
    assert stage.supervisor.processes()["shop"].state is ProcessState.STOPPED


def test_starting_again_forgives_earlier_crashes(stage: Stage) -> None:
    stage.supervisor.add(stage.program("shop", "false"))
    stage.supervisor.start("shop")
    stage.until("shop", lambda it: it.crashes == 2)
    stage.supervisor.stop("shop")

    stage.supervisor.start("shop")

    assert stage.supervisor.processes()["shop"].crashes == 0


def test_a_command_that_does_not_exist_is_named(stage: Stage) -> None:
    stage.supervisor.add(stage.program("shop", "no-such-command"))
    stage.supervisor.start("shop")

    failed = stage.until("shop", lambda it: it.crashes > 0)

    assert "cannot start no-such-command: [Errno 2] No such file" in failed.last_exit
    assert "cannot start no-such-command" in stage.supervisor.tail("shop")


STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("grandchild", os.getpid(), flush=True)
        time.sleep(1000)
    os._exit(0)
if os.fork() == 0:
    print("child", os.getpid(), flush=True)
    time.sleep(1000)
os.wait()
print("ready", flush=True)
time.sleep(1000)
"""


def _family(stage: Stage, program: Program) -> list[int]:
    stage.until_written(program, "grandchild")
    stage.until_written(program, "child")
    said = stage.until_written(program, "ready")
    return [int(line.split()[1]) for line in said.splitlines() if "child" in line]


@pytest.mark.parametrize("is_adopted", [False, True])
def test_stubborn_children_and_grandchildren_die_at_the_end_of_the_grace(
    stage: Stage, is_adopted: bool
) -> None:
    program = stage.python("shop", STUBBORN, grace=timedelta(seconds=0.5))
    leader = stage.begin(program)
    family = _family(stage, program)
    if is_adopted:
        stage.kill_supervisord()
        stage.supervisor.ensure()
        stage.until("shop", lambda it: it.adopted)

    began = time.monotonic()
    stage.supervisor.stop("shop")

    assert len(family) == 2
    assert not any(map(is_running, [leader.pid or 0, *family]))
    assert 0.5 <= time.monotonic() - began < 3


def test_children_that_outlive_their_parent_end_before_it_starts_again(stage: Stage) -> None:
    program = stage.python("shop", STUBBORN)
    leader = stage.begin(program)
    family = _family(stage, program)
    assert leader.pid

    os.kill(leader.pid, signal.SIGKILL)

    stage.until("shop", lambda it: it.pid not in (None, leader.pid))
    assert not any(map(is_running, family))


def test_the_stop_signal_and_the_grace_are_the_programs(stage: Stage) -> None:
    code = """
import signal, sys, time
def end(*_):
    print("asked", flush=True); time.sleep(0.2); print("done", flush=True); sys.exit()
signal.signal(signal.SIGUSR1, end)
print("ready", flush=True)
while True: time.sleep(1)
"""
    program = stage.python("shop", code, stop_signal="USR1")
    stage.begin(program)
    stage.until_written(program, "ready")

    stage.supervisor.stop("shop")

    assert program.log.read_text() == "ready\nasked\ndone\n"


def test_thirty_programs_run_at_once(stage: Stage) -> None:
    names = [f"shop.production.0a1b2c3d.{index}" for index in range(30)]

    with ThreadPoolExecutor(4) as pool:
        processes = list(pool.map(lambda name: stage.begin(stage.program(name, *SLEEP)), names))

    assert len({it.pid for it in processes}) == 30
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(stage.supervisor.remove, names))
    assert not any(is_running(it.pid or 0) for it in processes)
    assert stage.supervisor.processes() == {}


def test_a_home_that_is_too_deep_is_said_before_anything_starts(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)

    with pytest.raises(HomeTooLong, match="Choose a shorter STEERWAY_HOME"):
        Supervisor(deep / "run", deep / "log").ensure()

    assert not deep.exists()


def test_a_home_may_hold_spaces_and_percent_signs(stage: Stage) -> None:
    home = stage.home / "a 100% home"
    other = Stage(home)
    other.supervisor.ensure()

    try:
        assert other.begin(other.program("shop", *SLEEP)).pid
    finally:
        other.end()


def test_a_program_gets_what_it_was_given_and_nothing_of_supervisords(stage: Stage) -> None:
    data = stage.home / "state" / "data"
    program = stage.program(
        "shop",
        "sh",
        "-c",
        "env; umask; pwd; echo done; sleep 1000",
        environment={"PORT": "20001", "LOG_LEVEL": "info"},
        search=(stage.home / "bin",),
        creates={data: 0o700},
    )

    stage.begin(program)

    said = stage.until_written(program, "done").splitlines()
    assert {"PORT=20001", "LOG_LEVEL=info", "0027", str(stage.home)} <= set(said)
    assert not any(line.startswith(("SUPERVISOR", "PYTEST", "STEERWAY_HOME")) for line in said)
    assert any(line.startswith(f"PATH={stage.home}/bin:") for line in said)
    assert data.stat().st_mode & 0o777 == 0o700


def test_nobody_else_can_read_what_lies_in_the_home(stage: Stage) -> None:
    before = os.umask(0o022)
    stage.begin(stage.program("web", "sh", "-c", "echo hello; sleep 1000"))
    os.umask(before)

    places = [stage.home / "run", stage.home / "log", *stage.home.glob("*.out")]
    found = {place.name: place.stat().st_mode & 0o077 for place in places}

    assert found == {"run": 0, "log": 0, "web.out": 0}
    logs = [file.stat().st_mode & 0o077 for file in (stage.home / "log").iterdir()]
    assert logs
    assert set(logs) == {0}
