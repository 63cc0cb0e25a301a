"""The files that supervisord and the shim read."""

import os
import shlex
import sys
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import Final

from steerway.delivery.runtimes.adapters import exec_shim
from steerway.delivery.runtimes.rules import Limits, Program

_SUPERVISORD: Final = """\
[unix_http_server]
file={run}/supervisor.sock
chmod=0600
[supervisord]
logfile={log}/supervisord.log
logfile_maxbytes=10MB
logfile_backups=3
pidfile={run}/supervisord.pid
nodaemon=false
minfds=1024
umask=077
childlogdir={log}
strip_ansi=false
{user}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[include]
files = conf.d/*.ini
"""

# startsecs=0: supervisord never gives up; the shim waits longer from crash to crash.
# stopwaitsecs: only when nobody of ours is there to kill at the end of the grace.
_PROGRAM: Final = """\
[program:{name}]
command={command}
autostart={autostart}
autorestart=true
startsecs=0
startretries=1000000
stopsignal={signal}
stopwaitsecs={stop_seconds}
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile=NONE
"""
_STOP_MARGIN_SECONDS: Final = 5


def supervisord(run: Path, log: Path) -> str:
    """The configuration of supervisord."""
    user = "user=root" if os.geteuid() == 0 else ""
    return _SUPERVISORD.format(run=_plain(str(run)), log=_plain(str(log)), user=user)


def program(spec: exec_shim.Spec, spec_file: Path, *, autostart: bool) -> str:
    """The configuration of one program."""
    shim = [sys.executable, "-I", "-S", exec_shim.__file__, str(spec_file)]
    return _PROGRAM.format(
        name=spec["name"],
        command=_plain(shlex.join(shim)),
        autostart=str(autostart).lower(),
        signal=spec["stop_signal"],
        stop_seconds=ceil(spec["grace"]) + _STOP_MARGIN_SECONDS,
    )


def spec(program: Program, *, run: Path, log: Path, key: Path | None, group: str) -> exec_shim.Spec:
    """What the shim is told about a program; secrets stay sealed."""
    assert key is not None or not program.secrets, "secrets need a key"
    return exec_shim.Spec(
        name=program.name,
        command=list(program.command),
        directory=str(program.directory),
        environment=dict(program.environment),
        search=[str(path) for path in program.search],
        secrets={k: (s.name, s.text) for k, s in program.secrets.items()},
        creates={str(path): mode for path, mode in program.creates.items()},
        limits=_limits(program.limits),
        stop_signal=program.stop_signal,
        grace=program.grace.total_seconds(),
        spares_children=program.spares_children,
        log=str(program.log),
        key=str(key or ""),
        path=[_site_packages()] if program.secrets else [],
        run=str(run),
        group=f"{group}/{program.name}",
        supervisor_log=str(log / "supervisord.log"),
    )


def _limits(limits: Limits) -> dict[str, float]:
    given = {"memory": limits.memory, "cpus": limits.cpus, "processes": limits.processes}
    return {name: value for name, value in given.items() if value is not None}


def _site_packages() -> str:
    """Where the shim finds what opens secrets."""
    found = find_spec("cryptography")
    assert found is not None
    assert found.origin is not None
    return str(Path(found.origin).parents[1])


def _plain(text: str) -> str:
    """Text that supervisord does not expand."""
    return text.replace("%", "%%")
