import os
import signal

from steerway.delivery.runtimes.rules import ProcessState
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


def test_programs_outlive_supervisord_and_are_adopted_by_the_next(stage: Stage) -> None:
    program = stage.program("shop", *SLEEP)
    first = stage.begin(program)

    stage.kill_supervisord()
    assert stage.supervisor.ensure()

    adopted = stage.until("shop", lambda it: it.adopted)
    assert (adopted.pid, adopted.state) == (first.pid, ProcessState.RUNNING)
    assert adopted.started_at == first.started_at
    stage.supervisor.stop("shop")
    assert first.pid
    assert not is_running(first.pid)


def test_an_adopted_program_that_dies_is_started_anew(stage: Stage) -> None:
    first = stage.begin(stage.program("shop", *SLEEP))
    stage.kill_supervisord()
    stage.supervisor.ensure()
    stage.until("shop", lambda it: it.adopted)
    assert first.pid

    os.kill(first.pid, signal.SIGKILL)

    second = stage.until("shop", lambda it: it.pid not in (None, first.pid))
    assert second.state is ProcessState.RUNNING
    assert not second.adopted
    assert second.exits == 1
