"""supervisord dies, is replaced or shut down; the programs do not notice."""

import os
import signal
import subprocess
import sys

import pytest

from steerway.delivery.runtimes.adapters import proc, supervisor_rpc
from steerway.delivery.runtimes.errors import SupervisorDown
from steerway.delivery.runtimes.rules import ProcessState
from tests.delivery.runtimes.conftest import Stage, is_running

SLEEP = ("sleep", "1000")


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


def test_a_stopped_program_stays_stopped_when_supervisord_comes_back(stage: Stage) -> None:
    stage.begin(stage.program("shop", *SLEEP))
    stage.supervisor.stop("shop")
    stage.kill_supervisord()

    stage.supervisor.ensure()

    assert stage.supervisor.processes()["shop"].state is ProcessState.STOPPED


def test_a_back_off_goes_on_under_the_next_supervisord(stage: Stage) -> None:
    stage.supervisor.add(stage.program("shop", "false"))
    stage.supervisor.start("shop")
    waiting = stage.until("shop", lambda it: it.crashes == 2 and it.resumes_at is not None)

    stage.kill_supervisord()
    stage.supervisor.ensure()

    again = stage.until("shop", lambda it: it.resumes_at is not None)
    assert again.crashes in (2, 3)
    assert waiting.exits <= again.exits <= waiting.exits + 1


def test_an_adopted_program_gets_its_signal_once_and_its_grace(stage: Stage) -> None:
    code = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True))
print("ready", flush=True)
for _ in range(2): signal.pause(); time.sleep(0.2)
"""
    program = stage.python("shop", code.replace("range(2)", "range(1)"))
    stage.begin(program)
    stage.until_written(program, "ready")
    stage.kill_supervisord()
    stage.supervisor.ensure()
    stage.until("shop", lambda it: it.adopted)

    stage.supervisor.stop("shop")

    assert program.log.read_text() == "ready\nasked\n"


def test_a_supervisord_without_its_socket_is_replaced(stage: Stage) -> None:
    first, program = stage.supervisor.pid(), stage.begin(stage.program("shop", *SLEEP))
    (stage.home / "run/supervisor.sock").unlink()

    assert stage.supervisor.ensure()

    assert stage.supervisor.pid() != first
    assert not is_running(first)
    assert stage.until("shop", lambda it: it.adopted).pid == program.pid


def test_a_program_can_be_stopped_while_supervisord_is_down(stage: Stage) -> None:
    running = stage.begin(stage.program("shop", *SLEEP))
    stage.kill_supervisord()
    assert running.pid

    stage.supervisor.stop("shop")

    assert not is_running(running.pid)


def test_a_shutdown_ends_everything_and_the_next_start_brings_it_back(stage: Stage) -> None:
    running, pid = stage.begin(stage.program("shop", *SLEEP)), stage.supervisor.pid()
    stage.supervisor.add(stage.program("idle", *SLEEP))
    assert running.pid

    stage.supervisor.shutdown()

    assert not is_running(running.pid)
    assert not is_running(pid)
    with pytest.raises(SupervisorDown, match="does not answer on"):
        stage.supervisor.processes()
    stage.supervisor.shutdown()
    stage.supervisor.ensure()
    again = stage.until("shop", lambda it: it.state is ProcessState.RUNNING)
    assert (again.crashes, again.adopted) == (0, False)
    assert stage.supervisor.processes()["idle"].state is ProcessState.STOPPED


def test_many_who_ensure_at_once_end_with_one_supervisord(stage: Stage) -> None:
    stage.supervisor.shutdown()
    code = (
        "import sys; from pathlib import Path;"
        "from steerway.delivery.runtimes.adapters.supervisor import Supervisor;"
        "home = Path(sys.argv[1]); it = Supervisor(home / 'run', home / 'log');"
        "print(it.ensure(), it.pid())"
    )

    command = [sys.executable, "-c", code, str(stage.home)]
    callers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(5)]
    answers = [caller.communicate(timeout=30)[0].split() for caller in callers]

    assert sorted(started for started, _ in answers) == ["False"] * 4 + ["True"]
    assert {pid for _, pid in answers} == {str(stage.supervisor.pid())}


def test_a_supervisord_that_a_program_brought_back_is_not_part_of_it(stage: Stage) -> None:
    code = (
        "import sys, time; from pathlib import Path;"
        "from steerway.delivery.runtimes.adapters.supervisor import Supervisor;"
        "home = Path(sys.argv[1]); it = Supervisor(home / 'run', home / 'log', home / 'key');"
        "print('ready', flush=True)\n"
        "while not it.ensure(): time.sleep(0.05)\n"
        "print('brought back', flush=True); time.sleep(1000)"
    )
    server = stage.program("server", sys.executable, "-c", code, str(stage.home))
    stage.begin(server)
    shop = stage.begin(stage.program("shop", *SLEEP))
    stage.until_written(server, "ready")
    stage.kill_supervisord()
    stage.until_written(server, "brought back")
    stage.until("server", lambda it: it.adopted)
    pid = stage.supervisor.pid()

    stage.supervisor.stop("server")

    assert is_running(pid)
    assert stage.until("shop", lambda it: it.is_up).pid == shop.pid


def test_a_watcher_may_die_and_supervisord_again(stage: Stage) -> None:
    first = stage.begin(stage.program("shop", *SLEEP))
    stage.kill_supervisord()
    stage.supervisor.ensure()
    stage.until("shop", lambda it: it.adopted)
    watcher = stage.supervisor.record("shop")
    assert watcher
    assert watcher.watcher

    os.kill(watcher.watcher, signal.SIGKILL)
    again = stage.until(
        "shop", lambda it: it.adopted and stage.supervisor.record("shop") != watcher
    )
    second = stage.supervisor.record("shop")
    stage.kill_supervisord()
    assert second
    assert proc.wait(lambda: not is_running(second.watcher or 0), 5)
    stage.supervisor.ensure()

    assert again.pid == first.pid
    assert stage.until("shop", lambda it: it.adopted).pid == first.pid


def test_a_supervisord_that_hangs_is_replaced_and_its_programs_do_not_notice(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, hung = stage.begin(stage.program("shop", *SLEEP)), stage.supervisor.pid()
    monkeypatch.setattr(supervisor_rpc, "TIMEOUT_SECONDS", 0.5)
    os.kill(hung, signal.SIGSTOP)

    assert stage.supervisor.ensure()

    assert stage.until("shop", lambda it: it.adopted).pid == running.pid
    assert not is_running(hung)


def test_everything_ends_though_supervisord_hangs(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, hung = stage.begin(stage.program("shop", *SLEEP)), stage.supervisor.pid()
    monkeypatch.setattr(supervisor_rpc, "TIMEOUT_SECONDS", 0.5)
    os.kill(hung, signal.SIGSTOP)

    stage.supervisor.clear()
    stage.supervisor.stop("shop")
    stage.supervisor.shutdown()

    assert running.pid
    assert not is_running(running.pid)
    assert not is_running(hung)
