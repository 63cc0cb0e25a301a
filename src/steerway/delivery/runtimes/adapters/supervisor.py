"""Programs under supervisord: the one way to start, stop, remove and see them."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from steerway.delivery.runtimes.adapters import (
    cgroups,
    exec_shim,
    logs,
    proc,
    sockets,
    supervisor_config,
)
from steerway.delivery.runtimes.adapters.sighting import sight
from steerway.delivery.runtimes.adapters.supervisor_rpc import Fault, Rpc
from steerway.delivery.runtimes.errors import (
    HomeTooLong,
    ProgramUnknown,
    StillRunning,
    SupervisorDown,
)
from steerway.delivery.runtimes.rules import Process, Program

SOCKET_LENGTH_MAX = 95  # the kernel takes 107; supervisord adds a dot and its pid
START_SECONDS = 20.0
STOP_MARGIN_SECONDS = 5.0
DYING_SECONDS = 1.0
STOPS_AT_ONCE = 8
LOGS_KEPT_SECONDS = 14 * 24 * 3600  # long enough to ask why something failed
GROUP_SECONDS = 0.5  # an empty cgroup left behind does no harm
_INHERITED: Final = ("HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR")
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Writes its pid to each file before "--", then becomes what is behind.
_FREED: Final = (
    'while [ "$1" != -- ]; do echo $$ 2>/dev/null >"$1" || :; shift; done; shift; exec "$@"'
)
_NO_WAIT: Final = False  # a start is seen by the health check, not here
_LIVE: Final = ("STARTING", "RUNNING", "BACKOFF")
_NOT_THERE: Final = (Fault.NOT_RUNNING, Fault.BAD_NAME)
_ENDED: Final = ("STOPPED", "FATAL", "UNKNOWN")


class Supervisor:
    """The supervisord of one installation. `key` is the file of the key that seals secrets."""

    def __init__(self, run: Path, log: Path, key: Path | None = None) -> None:
        self.run = run
        self.log = log
        self.key = key
        self.rpc = Rpc(run / "supervisor.sock", log / "supervisord.log")
        # The cgroups of two installations on one host must not meet.
        self.group = f"{cgroups.PREFIX}{sha256(str(run).encode()).hexdigest()[:12]}"

    def ensure(self) -> bool:
        """Have a supervisord run; True when it had to be started. Programs that run are adopted.

        One that hangs is replaced.

        Raises:
            SupervisorDown: it cannot be started.
            HomeTooLong: its socket would have too long a path.
        """
        length = len(str(self.rpc.path))
        if length > SOCKET_LENGTH_MAX:
            raise HomeTooLong(socket=self.rpc.path, length=length, length_max=SOCKET_LENGTH_MAX)
        for name in ("", "conf.d", "specs", "pids", "state"):
            (self.run / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.log.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked("supervisor"):
            if self.rpc.is_there() and self._answers():
                return False
            self._kill_mute()
            self._launch()
        return True

    def clear(self) -> None:
        """End a supervisord that hangs, so that programs can be ended without it."""
        with self._locked("supervisor"):
            if self.rpc.is_there() and not self._answers():
                self._kill_mute()

    def pid(self) -> int:
        """The process id of supervisord."""
        return int(self.rpc.call("getPID"))

    def add(self, program: Program) -> bool:
        """Make a program known, not started; True when it is new or has changed.

        The same program again changes nothing; a changed one is stopped and replaced.
        """
        with self._locked(program.name):
            spec = supervisor_config.spec(
                program, run=self.run, log=self.log, key=self.key, group=self.group
            )
            text, file, ini = json.dumps(spec), self._spec(program.name), self._ini(program.name)
            if ini.exists() and file.exists() and file.read_text() == text:
                self._load(program.name)
                return False
            if ini.exists() or file.exists():
                self._end(program.name)
                self._unload(program.name)
            _write(file, text)
            self._write_ini(program.name, autostart=False)
            self.rpc.call("reloadConfig")
            self._load(program.name)
        return True

    def start(self, name: str) -> None:
        """Ask for a program to run from now on; does not wait until it does.

        Raises:
            ProgramUnknown: it was never added.
        """
        with self._locked(name):
            if not self._ini(name).exists():
                raise ProgramUnknown(name=name)
            self._write_ini(name, autostart=True)
            self._load(name)
            if self._info(name)[0] not in _LIVE:
                (self.run / "state" / f"{name}.json").unlink(
                    missing_ok=True
                )  # earlier crashes are forgiven
            self.rpc.call("startProcess", _full(name), _NO_WAIT, accept=(Fault.ALREADY_STARTED,))

    def stop(self, name: str) -> None:
        """End a program with all its processes, and keep it ended. Waits for the grace at most.

        Raises:
            StillRunning: the kernel does not let a process die.
        """
        with self._locked(name):
            if self._ini(name).exists():
                self._write_ini(name, autostart=False)
            self._end(name)

    def remove(self, name: str) -> None:
        """Stop a program and forget it; its log stays."""
        with self._locked(name):
            # First, so that a supervisord that starts in the middle does not start it again.
            self._ini(name).unlink(missing_ok=True)
            self._end(name)
            self._unload(name)
            record = self.record(name)
            groups = record.cgroups if record else []
            proc.wait(lambda: cgroups.remove(groups), GROUP_SECONDS)
            for file in ("specs/{}.json", "state/{}.json", "pids/{}.json", "pids/{}.lock"):
                (self.run / file.format(name)).unlink(missing_ok=True)
            self._lock_file(name).unlink(missing_ok=True)

    def processes(self) -> dict[str, Process]:
        """Every program that was added, as it is now."""
        found = {}
        for info in self.rpc.call("getAllProcessInfo"):
            name = str(info["name"])
            state = exec_shim.read_state(self.run, name)
            found[name] = sight(info, self.record(name), state)
        return found

    def record(self, name: str) -> proc.Record | None:
        """The last start of a program."""
        return exec_shim.read_record(self.run, name)

    def tail(self, name: str, size: int = 4096) -> str:
        """The last `size` bytes that a program wrote.

        Raises:
            ProgramUnknown: it was never added.
        """
        return logs.tail(Path(self._read_spec(name)["log"]), size)

    def rotate(self) -> list[str]:
        """Rotate the logs that have grown too long; the names of their programs.

        Those of replicas that have been gone for LOGS_KEPT_SECONDS are deleted.
        """
        names = [file.stem for file in (self.run / "specs").glob("*.json")]
        logs.forget(self.log, names, time.time() - LOGS_KEPT_SECONDS)
        rotated = []
        for name in names:
            with contextlib.suppress(ProgramUnknown):  # removed since they were listed
                if logs.rotate(Path(self._read_spec(name)["log"])):
                    rotated.append(name)
        return rotated

    def why_not_listening(self, name: str, port: int) -> str:
        """One sentence about a program whose port does not answer."""
        record = self.record(name)
        if record is None:
            return f"nothing listens on {port}; {name} has not started yet"
        return sockets.why_not_listening(port, record)

    def shutdown(self) -> None:
        """End all programs and supervisord. What was started starts again with the next one."""
        with self._locked("supervisor"):
            pid = self.pid() if self.rpc.is_there() and self._answers() else None
            if pid is None:
                self._kill_mute()
            names = [file.stem for file in (self.run / "specs").glob("*.json")]
            with ThreadPoolExecutor(STOPS_AT_ONCE) as pool:
                list(pool.map(self._end, names))
            if pid is not None:
                self.rpc.call("shutdown", accept=(Fault.SHUTDOWN_STATE,))
                if not proc.wait(lambda: _is_gone(pid), START_SECONDS):
                    raise StillRunning(name="supervisord", pids=pid, seconds=START_SECONDS)
            for name in names:
                (self.run / "state" / f"{name}.json").unlink(missing_ok=True)  # it did not crash
            proc.wait(lambda: cgroups.remove_all(cgroups.here(), self.group), GROUP_SECONDS)

    def _answers(self) -> bool:
        try:
            state, pid = self.rpc.call("getState")["statename"], self.pid()
        except SupervisorDown:
            # It dies, and closes its sockets one after the other; or it hangs.
            proc.wait(lambda: not self.rpc.is_there(), DYING_SECONDS)
            return False
        if state == "RUNNING":
            return True
        if not proc.wait(lambda: _is_gone(pid), START_SECONDS):
            raise self._down(f"it is in state {state}")
        return False

    def _down(self, reason: str) -> SupervisorDown:
        return SupervisorDown(socket=self.rpc.path, reason=reason, log=self.rpc.log)

    def _kill_mute(self) -> None:
        """One that hangs or has no socket can never be asked again; its programs are adopted."""
        file, config = self.run / "supervisord.pid", str(self.run / "supervisord.conf")
        try:
            pid = int(file.read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return
        if config.encode() in words:
            os.kill(pid, signal.SIGKILL)
            proc.wait(lambda: _is_gone(pid), STOP_MARGIN_SECONDS)

    def _launch(self) -> None:
        config = self.run / "supervisord.conf"
        _write(config, supervisor_config.supervisord(self.run, self.log))
        inherited = {k: os.environ[k] for k in _INHERITED if k in os.environ}  # noqa: TID251 -- passed on to programs, not read
        supervisord = [sys.executable, "-I", "-m", "supervisor.supervisord", "-c", str(config)]
        command = ["sh", "-c", _FREED, "sh", *cgroups.ways_out(self.group), "--", *supervisord]
        try:
            done = subprocess.run(
                command,
                check=False,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": _PATH} | inherited,
                timeout=START_SECONDS,
                umask=0o077,  # it opens its own log before it looks at its configuration
            )
        except subprocess.TimeoutExpired as error:
            raise self._down(f"it did not start within {START_SECONDS:.0f} s") from error
        if done.returncode or not proc.wait(self.rpc.is_there, START_SECONDS):
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise self._down(said[-1] if said else "it did not start")

    def _end(self, name: str) -> None:
        """Ask, wait the grace, kill. Also what supervisord does not know, or died of."""
        spec = self._read_spec(name) if self._spec(name).exists() else None
        grace = spec["grace"] if spec else 0.0
        number = getattr(signal, f"SIG{spec['stop_signal']}") if spec else signal.SIGTERM
        asked: set[int] = set()
        if proc.wait(lambda: self._ask(name, number, asked), grace):
            return
        if not proc.wait(lambda: self._kill(name), STOP_MARGIN_SECONDS):
            record = self.record(name)
            pids = [one.pid for one in proc.members(record)] if record else ["?"]
            raise StillRunning(
                name=name, pids=", ".join(map(str, pids)), seconds=STOP_MARGIN_SECONDS
            )

    def _ask(self, name: str, number: int, asked: set[int]) -> bool:
        """Whether all has ended; asks each process that nobody has asked yet."""
        state, record = self._info(name)[0], self.record(name)
        left = proc.members(record) if record else []
        if state in _LIVE:
            # It signals the group it started; a watcher signals all.
            self.rpc.call("stopProcess", _full(name), _NO_WAIT, accept=_NOT_THERE)
            asked.update(
                o.pid for o in left if record and (record.watcher or o.group == record.pid)
            )
        rest = {one.pid for one in left} - asked
        proc.send(rest, number)
        asked.update(rest)
        return state in _ENDED and not left

    def _kill(self, name: str) -> bool:
        (state, pid), record = self._info(name), self.record(name)
        if state in _LIVE:
            self.rpc.call("stopProcess", _full(name), _NO_WAIT, accept=_NOT_THERE)
        left = proc.kill_all(record, 0.5) if record else []
        if pid and state == "STOPPING":
            proc.send([pid], signal.SIGKILL)
        return state in _ENDED and not left

    def _info(self, name: str) -> tuple[str, int]:
        """What supervisord says about a program, and the pid of its child or 0."""
        if not self.rpc.is_there():
            return "UNKNOWN", 0
        info = self.rpc.call("getProcessInfo", _full(name), accept=(Fault.BAD_NAME,))
        if isinstance(info, Fault):
            return "UNKNOWN", 0
        return str(info["statename"]), int(info["pid"])

    def _load(self, name: str) -> None:
        known = (Fault.ALREADY_ADDED, Fault.BAD_NAME)
        if self.rpc.call("addProcessGroup", name, accept=known) is Fault.BAD_NAME:
            self.rpc.call("reloadConfig")
            self.rpc.call("addProcessGroup", name, accept=(Fault.ALREADY_ADDED,))

    def _unload(self, name: str) -> None:
        if self.rpc.is_there():
            self.rpc.call("removeProcessGroup", name, accept=(Fault.BAD_NAME,))

    def _write_ini(self, name: str, *, autostart: bool) -> None:
        spec_file = self._spec(name)
        text = supervisor_config.program(self._read_spec(name), spec_file, autostart=autostart)
        _write(self._ini(name), text)

    def _read_spec(self, name: str) -> exec_shim.Spec:
        try:
            spec: exec_shim.Spec = json.loads(self._spec(name).read_text())
        except FileNotFoundError:
            raise ProgramUnknown(name=name) from None
        return spec

    def _spec(self, name: str) -> Path:
        return self.run / "specs" / f"{name}.json"

    def _ini(self, name: str) -> Path:
        return self.run / "conf.d" / f"{name}.ini"

    def _lock_file(self, name: str) -> Path:
        return self.run / "conf.d" / f".{name}.lock"

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """One caller at a time, over all processes; let go of when the caller dies."""
        descriptor = _lock(self._lock_file(name))
        try:
            yield
        finally:
            os.close(descriptor)


def _lock(file: Path) -> int:
    """The file, locked, and still there under its name when the lock was got."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(file.stat(), os.fstat(descriptor)):
                return descriptor
        os.close(descriptor)


def _full(name: str) -> str:
    return f"{name}:{name}"


def _is_gone(pid: int) -> bool:
    found = proc.stat(pid)
    return found is None or found.state == "Z"


def _write(file: Path, text: str) -> None:
    """Replace a file in one move; only its owner reads it."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
    draft.replace(file)
