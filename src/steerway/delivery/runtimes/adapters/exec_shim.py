"""What supervisord starts instead of a program: it prepares the ground and becomes the program.

Run as `python -I -S exec_shim.py SPEC`, so: the standard library only. Before it replaces
itself it waits out the back-off of a program that keeps ending, ends what an earlier run
left behind, applies limits, opens the log and, only here, the sealed secrets. When the
program of an earlier supervisord still runs, the shim does not start a second one but watches
the first: it passes on the stop signal, and ends when the program ends.
"""

import contextlib
import fcntl
import json
import os
import re
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn, TypedDict

if __name__ == "__main__":  # -I leaves the package out of the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from steerway.delivery.runtimes.adapters import cgroups, proc

DELAY_FIRST = 0.5  # seconds; doubled by each short life
DELAY_MAX = 30.0
LIFE_SECONDS = 60.0  # a program that lived this long has not failed to start
UMASK = 0o027
EXIT_SECRET = 126
EXIT_START = 127
EXIT_UNSEEN = 125  # the program ended while it was watched: its own status went elsewhere
LOG_TAIL_BYTES = 64 * 1024
_TICKS = os.sysconf("SC_CLK_TCK")


class Spec(TypedDict):
    """What a program is, as its spec file says. `secrets`: variable -> (name, sealed text)."""

    name: str
    command: list[str]
    directory: str
    environment: dict[str, str]
    search: list[str]
    secrets: dict[str, tuple[str, str]]
    creates: dict[str, int]
    limits: dict[str, float]
    stop_signal: str
    grace: float
    spares_children: bool
    log: str
    key: str
    path: list[str]
    run: str
    group: str
    supervisor_log: str


class State(TypedDict):
    """How a program's starts went. `crashes` counts short lives in a row, `exits` all ends."""

    boot: str
    pid: int
    phase: str
    exits: int
    crashes: int
    last_exit: str
    problem: str
    resumes_at: float
    oom_kills: int


def main(spec_file: str) -> int:
    """Start the program of a spec file, or watch it when it runs already."""
    spec: Spec = json.loads(Path(spec_file).read_text())
    run, name = Path(spec["run"]), spec["name"]
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback in the program's log
    _open_log(spec["log"])
    lock = lock_start(run, name)
    record = read_record(run, name)
    if record is not None and proc.is_alive(record):
        write(run / "pids" / f"{name}.json", record._replace(watcher=os.getpid())._asdict())
        os.close(lock)
        return watch(spec, record)
    # The spec of a program that an earlier version started lacks what came later.
    if record is not None and not spec.get("spares_children", False):
        proc.kill_all(record)  # children that outlived their parent hold its port
    state = _pause(spec, record)
    return _become(spec, state)


def lock_start(run: Path, name: str) -> int:
    """Hold the right to start `name`: at exec, or at the end of this process, it is let go."""
    lock = os.open(run / "pids" / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def read_record(run: Path, name: str) -> proc.Record | None:
    """The last start of `name`, or None when it never was."""
    try:
        return proc.Record(**json.loads((run / "pids" / f"{name}.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def read_state(run: Path, name: str) -> State | None:
    """How the starts of `name` went since it was last told to start."""
    try:
        state: State = json.loads((run / "state" / f"{name}.json").read_text())
    except (OSError, ValueError):
        return None
    return state


def write(file: Path, value: object) -> None:
    """Replace a small file in one move."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        json.dump(value, handle)
    draft.replace(file)


def after_exit(state: State, lived: float, last_exit: str) -> State:
    """The state once more after a life of `lived` seconds."""
    crashes = state["crashes"] + 1 if lived < LIFE_SECONDS else 0
    return {
        **state,
        "exits": state["exits"] + 1,
        "crashes": crashes,
        "last_exit": state["problem"] or last_exit,
        "problem": "",
    }


def delay(crashes: int) -> float:
    """Seconds to wait after so many short lives in a row."""
    return min(DELAY_MAX, DELAY_FIRST * 2 ** min(crashes - 1, 10)) if crashes else 0.0


def remaining(state: State, now: float) -> float:
    """Seconds left of a pause that was cut short; never more than a pause, wherever clocks went."""
    return min(DELAY_MAX, max(0.0, state["resumes_at"] - now))


def last_exit(log: str, name: str) -> str:
    """How supervisord says that `name` ended last: "exit status 1", "terminated by SIGKILL"."""
    pattern = rf"exited: {re.escape(name)} \((.*); [a-z ]*expected\)$"
    found = re.findall(pattern, log, re.MULTILINE)
    return found[-1] if found else ""


def watch(spec: Spec, record: proc.Record) -> int:
    """Stand in for a running program until it ends, supervisord ends, or a stop is asked for."""
    wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(waker)
    stop_signal = getattr(signal, f"SIG{spec['stop_signal']}")
    for number in {stop_signal, signal.SIGTERM, signal.SIGINT}:
        signal.signal(number, lambda *_: None)
    try:
        program, parent = os.pidfd_open(record.pid), os.pidfd_open(os.getppid())
    except ProcessLookupError:
        return EXIT_UNSEEN
    if not proc.is_alive(record):
        return EXIT_UNSEEN
    if os.getppid() == 1:
        return 0  # supervisord has died meanwhile; the shim of the next one watches
    ready = _wait_for([program, parent, wake], None)
    if program in ready:
        return EXIT_UNSEEN
    if wake in ready:
        proc.send([one.pid for one in proc.members(record)], stop_signal)
        _wait_for([program], spec["grace"])
        proc.kill_all(record)
    return 0


def _wait_for(descriptors: list[int], seconds: float | None) -> list[int]:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return [found for found, _ in poll.poll(None if seconds is None else seconds * 1000)]


def _open_log(log: str) -> None:
    """Write to the file itself: a pipe would die with supervisord, and take the program along."""
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _say(text: str) -> None:
    os.write(2, f"steerway: {text}\n".encode())


def _pause(spec: Spec, record: proc.Record | None) -> State:
    """Wait as long as the program's short lives ask for; the state to start with."""
    run, name = Path(spec["run"]), spec["name"]
    state = read_state(run, name)
    if record is None or state is None or state["boot"] != proc.boot():
        return _fresh()
    if state["phase"] == "backoff":
        seconds = remaining(state, time.time())
    else:
        lived = time.clock_gettime(time.CLOCK_BOOTTIME) - record.started / _TICKS
        state = after_exit(state, lived, _how_it_ended(spec, record, state))
        seconds = delay(state["crashes"])
        again = f"starting again in {seconds:g} s" if seconds else "starting again"
        _say(f"{name} ended ({state['last_exit']}); {again}")
    resumes_at = time.time() + seconds
    state.update({"phase": "backoff", "pid": os.getpid(), "resumes_at": resumes_at})
    write(run / "state" / f"{name}.json", state)
    if _wait_for([os.pidfd_open(os.getppid())], seconds):
        sys.exit(0)  # supervisord is gone; the next one starts the program
    return state


def _fresh() -> State:
    return State(
        boot=proc.boot(),
        pid=os.getpid(),
        phase="starting",
        exits=0,
        crashes=0,
        last_exit="",
        problem="",
        resumes_at=0.0,
        oom_kills=0,
    )


def _how_it_ended(spec: Spec, record: proc.Record, state: State) -> str:
    if cgroups.oom_kills(record.cgroups) > state["oom_kills"]:
        return f"killed: it needed more than its {spec['limits']['memory'] / 1e6:.0f} MB of memory"
    if record.watcher is not None:
        return "its exit status went to an earlier supervisord"
    with contextlib.suppress(OSError), Path(spec["supervisor_log"]).open("rb") as log:
        log.seek(max(0, os.fstat(log.fileno()).st_size - LOG_TAIL_BYTES))
        return last_exit(log.read().decode(errors="replace"), spec["name"]) or "unknown"
    return "unknown"


def _become(spec: Spec, state: State) -> NoReturn:
    """Replace this process by the program."""
    run, name = Path(spec["run"]), spec["name"]
    mark = os.urandom(16).hex()
    record = _record(mark)
    state.update({"phase": "starting", "pid": os.getpid()})
    write(run / "state" / f"{name}.json", state)
    write(run / "pids" / f"{name}.json", record._asdict())
    try:
        environment = _environment(spec) | {proc.MARK: mark}
        for directory, mode in spec["creates"].items():
            Path(directory).mkdir(mode=mode, parents=True, exist_ok=True)
            Path(directory).chmod(mode)
        joined, enforced = _limit(spec)
        record = record._replace(cgroups=joined, enforced=enforced)
        write(run / "pids" / f"{name}.json", record._asdict())
        state.update({"phase": "running", "oom_kills": cgroups.oom_kills(joined)})
        write(run / "state" / f"{name}.json", state)
        os.chdir(spec["directory"])
        os.umask(UMASK)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)  # Python ignores some, and exec would keep that
        os.execvpe(spec["command"][0], spec["command"], environment)  # noqa: S606 -- no shell
    except (OSError, ValueError) as error:
        _give_up(spec, state, f"cannot start {spec['command'][0]}: {error}", EXIT_START)
    except _SecretClosed as error:
        _give_up(spec, state, str(error), EXIT_SECRET)


def _give_up(spec: Spec, state: State, problem: str, code: int) -> NoReturn:
    _say(problem)
    state["problem"] = problem
    write(Path(spec["run"]) / "state" / f"{spec['name']}.json", state)
    sys.exit(code)


def _record(mark: str) -> proc.Record:
    with contextlib.suppress(PermissionError):
        os.setpgid(0, 0)  # supervisord has made it so already; a session leader is one anyway
    own = proc.stat(os.getpid())
    assert own is not None
    return proc.Record(own.pid, own.started, proc.boot(), own.session, mark, time.time(), [], {})


def _limit(spec: Spec) -> tuple[list[str], dict[str, str]]:
    """Apply the limits: the groups joined, and by limit what holds it."""
    limits = spec["limits"]
    joined, enforced = cgroups.enter(cgroups.here(), spec["group"], limits, os.getpid())
    if "memory" in limits and "memory" not in enforced:
        _rlimit(resource.RLIMIT_DATA, int(limits["memory"]))
        enforced["memory"] = "rlimit"
    if "processes" in limits and "processes" not in enforced and os.geteuid() != 0:
        # The kernel counts all processes of the user, so what runs already is allowed on top.
        _rlimit(resource.RLIMIT_NPROC, int(limits["processes"]) + _tasks_of_user())
        enforced["processes"] = "rlimit"
    return joined, {name: enforced.get(name, "none") for name in limits}


def _rlimit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _tasks_of_user() -> int:
    count = 0
    for directory in Path("/proc").glob("[0-9]*/task"):
        with contextlib.suppress(OSError):
            count += len(os.listdir(directory)) if directory.stat().st_uid == os.getuid() else 0  # noqa: PTH208
    return count


def _environment(spec: Spec) -> dict[str, str]:
    """What supervisord was given, less its own, then the program's variables and secrets."""
    given = {k: v for k, v in os.environ.items() if not k.startswith("SUPERVISOR_")}  # noqa: TID251 -- passed on
    given.pop(proc.MARK, None)
    environment = given | spec["environment"]
    environment["PATH"] = os.pathsep.join([*spec["search"], environment.get("PATH", os.defpath)])
    return environment | _secrets(spec)


class _SecretClosed(Exception):
    """A secret cannot be opened with the key of this installation."""


def _secrets(spec: Spec) -> dict[str, str]:
    if not spec["secrets"]:
        return {}
    sys.path.extend(spec["path"])
    from steerway.platform.secrets import sealing  # noqa: PLC0415 -- 10 ms, only when needed

    key = Path(spec["key"]).read_bytes()
    opened = {}
    for variable, (name, sealed) in spec["secrets"].items():
        try:
            opened[variable] = sealing.unseal(key, name, sealed)
        except Exception:  # noqa: BLE001 -- whatever went wrong, its text must not reach a log
            raise _SecretClosed(
                f"the secret {name} cannot be opened; set it again with `steerway secrets set`"
            ) from None
    return opened


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
