import os
import sys
from pathlib import Path

import pytest

from steerway.delivery.runtimes.adapters import cgroups
from steerway.delivery.runtimes.rules import Limits, ProcessState, SealedSecret
from steerway.platform.secrets.sealing import seal
from tests.delivery.runtimes.conftest import KEY, Stage

# Version 2 may be there with another set of limits, or none.
WRITABLE = [it for n, it in cgroups.here().items() if n == "memory" and os.access(it.directory, 2)]
needs_cgroups = pytest.mark.skipif(not WRITABLE, reason="control groups are not writable here")

SPEND = """
import time
print("before", flush=True)
spent = bytearray(200_000_000)
print("after", flush=True)
time.sleep(1000)
"""


def test_a_program_that_needs_more_memory_than_its_limit_is_ended(stage: Stage) -> None:
    program = stage.python("shop", SPEND, limits=Limits(memory=64_000_000))
    stage.supervisor.add(program)
    stage.supervisor.start("shop")

    ended = stage.until("shop", lambda it: it.crashes > 0)

    assert "after" not in program.log.read_text()
    assert ended.last_exit in (
        "killed: it needed more than its 64 MB of memory",
        "exit status 1",
    )


@needs_cgroups
def test_the_kernels_kill_for_memory_is_told_from_a_crash(stage: Stage) -> None:
    stage.supervisor.add(stage.python("shop", SPEND, limits=Limits(memory=64_000_000)))
    stage.supervisor.start("shop")

    ended = stage.until("shop", lambda it: it.crashes > 0)

    assert ended.last_exit == "killed: it needed more than its 64 MB of memory"


@needs_cgroups
def test_limits_hold_by_cgroups_and_it_is_said(stage: Stage) -> None:
    code = """
import os, time
def fork():
    try: return os.fork()
    except OSError: print("no more", flush=True); time.sleep(1000)
for _ in range(20):
    if fork() == 0: time.sleep(1000)
print("all", flush=True)
time.sleep(1000)
"""
    program = stage.python("shop", code, limits=Limits(memory=64_000_000, cpus=0.5, processes=10))

    running = stage.begin(program)

    assert stage.until_written(program, "\n") == "no more\n"
    assert set(running.enforced) == {"memory", "cpus", "processes"}
    assert set(running.enforced.values()) <= {"cgroup v1", "cgroup v2"}


@needs_cgroups
def test_a_removed_program_leaves_no_control_group(stage: Stage) -> None:
    stage.begin(stage.program("shop", "sleep", "1000", limits=Limits(processes=10)))
    record = stage.supervisor.record("shop")
    assert record

    stage.supervisor.remove("shop")

    assert record.cgroups
    assert not any(Path(path).exists() for path in record.cgroups)


def test_what_cannot_be_limited_is_said(stage: Stage) -> None:
    running = stage.begin(
        stage.program("shop", "sleep", "1000", limits=Limits(memory=64_000_000, processes=64))
    )

    assert running.enforced["memory"] in ("cgroup v1", "cgroup v2", "rlimit")
    assert running.enforced["processes"] in ("cgroup v1", "cgroup v2", "rlimit", "none")


MOUNTS = """\
30 24 0:26 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro
31 30 0:27 / /sys/fs/cgroup/memory rw shared:10 - cgroup cgroup rw,memory
32 30 0:28 /docker/ab /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""


def test_groups_are_made_where_the_process_is() -> None:
    own = "3:cpu,cpuacct:/docker/ab/x\n2:memory:/user/a\n1:name=systemd:/\n0::/system.slice\n"

    found = cgroups.bases(MOUNTS, own)

    assert found == {
        "memory": cgroups.Base(1, Path("/sys/fs/cgroup/memory/user/a")),
        "cpu": cgroups.Base(1, Path("/sys/fs/cgroup/cpu,cpuacct/x")),
        "": cgroups.Base(2, Path("/sys/fs/cgroup/unified/system.slice")),
    }


def test_groups_are_not_made_inside_each_other() -> None:
    own = "2:memory:/user/steerway-0123/server\n0::/steerway-0123/server\n"

    found = cgroups.bases(MOUNTS, own)

    assert found["memory"].directory == Path("/sys/fs/cgroup/memory/user")
    assert found[""].directory == Path("/sys/fs/cgroup/unified")


def test_root_makes_groups_of_version_2_at_the_top() -> None:
    own = "0::/system.slice/steerway.service\n"

    assert cgroups.bases(MOUNTS, own, is_root=True) == {
        "": cgroups.Base(2, Path("/sys/fs/cgroup/unified"))
    }


def _tree(top: Path, *groups: str) -> None:
    """Directories with the control files that a kernel of version 2 would show."""
    for group in groups:
        (top / group).mkdir(parents=True, exist_ok=True)
        for file in ("subtree_control", "procs"):
            (top / group / f"cgroup.{file}").touch()
    for file in ("memory.max", "cpu.max", "pids.max"):
        (top / groups[-1] / file).touch()


def test_version_2_takes_its_limits_in_one_group(tmp_path: Path) -> None:
    _tree(tmp_path, ".", "steerway-1", "steerway-1/shop")
    found = {"": cgroups.Base(2, tmp_path)}
    limits = {"memory": 64e6, "cpus": 0.5, "processes": 10.0}

    joined, enforced = cgroups.enter(found, "steerway-1/shop", limits, 42)

    group = tmp_path / "steerway-1/shop"
    assert joined == [str(group)]
    assert enforced == dict.fromkeys(limits, "cgroup v2")
    assert (group / "memory.max").read_text() == "64000000"
    assert (group / "cpu.max").read_text() == "50000 100000"
    assert (group / "pids.max").read_text() == "10"
    assert (group / "cgroup.procs").read_text() == "42"
    assert (tmp_path / "steerway-1/cgroup.subtree_control").read_text().startswith("+pids")
    assert (group / "cgroup.subtree_control").read_text() == ""


def test_version_2_without_controllers_still_keeps_the_family_together(tmp_path: Path) -> None:
    _tree(tmp_path, ".", "steerway-1", "steerway-1/shop")
    (tmp_path / "steerway-1/shop/memory.max").unlink()

    joined, enforced = cgroups.enter(
        {"": cgroups.Base(2, tmp_path)}, "steerway-1/shop", {"memory": 64e6}, 42
    )

    assert joined == [str(tmp_path / "steerway-1/shop")]
    assert enforced == {}


def test_secrets_reach_the_program_and_nothing_else(stage: Stage) -> None:
    value = "hunter2-" + "x" * 20
    secret = SealedSecret(name="payment-key", text=seal(KEY, "payment-key", value))
    check = f"import os; print(os.environ['KEY'] == {value[:8]!r} + 'x' * 20, flush=True);"
    program = stage.python(
        "shop", f"{check} import time; time.sleep(1000)", secrets={"KEY": secret}
    )

    running = stage.begin(program)

    assert stage.until_written(program, "\n") == "True\n"
    command = Path(f"/proc/{running.pid}/cmdline").read_bytes()
    assert value.encode() not in command
    files = [file for file in stage.home.rglob("*") if file.is_file()]
    assert len(files) >= 5
    assert not [file for file in files if value.encode() in file.read_bytes()]
    spec = stage.home / "run/specs/shop.json"
    assert spec.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_does_not_open_keeps_the_program_from_starting(stage: Stage) -> None:
    secret = SealedSecret(name="payment-key", text=seal(bytes(32), "payment-key", "hunter2"))
    stage.supervisor.add(stage.program("shop", "env", secrets={"KEY": secret}))
    stage.supervisor.start("shop")

    failed = stage.until("shop", lambda it: it.state is ProcessState.BACKOFF)

    assert failed.last_exit.startswith("the secret payment-key cannot be opened; set it again")
    assert "hunter2" not in stage.supervisor.tail("shop")


def test_the_interpreter_of_the_shim_is_the_servers(stage: Stage) -> None:
    stage.supervisor.add(stage.program("shop", "sleep", "1000"))

    assert f"command={sys.executable} -I -S " in (stage.home / "run/conf.d/shop.ini").read_text()
