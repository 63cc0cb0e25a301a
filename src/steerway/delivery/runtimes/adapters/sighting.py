"""What a program is doing, from what supervisord, the shim and the kernel each know of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from steerway.delivery.runtimes.adapters import exec_shim, proc
from steerway.delivery.runtimes.rules import Process, ProcessState


def sight(
    info: Mapping[str, Any], record: proc.Record | None, state: exec_shim.State | None
) -> Process:
    """The program as it is now; `info` is supervisord's, whose child may be a shim or a watcher."""
    statename, pid = str(info["statename"]), int(info["pid"])
    phase = state["phase"] if state else "running"
    is_ours = record is not None and pid != 0 and pid in (record.pid, record.watcher)
    up = record if record and is_ours and phase == "running" and proc.is_alive(record) else None
    is_paused = state is not None and pid != 0 and phase == "backoff" and state["pid"] == pid
    return Process(
        name=str(info["name"]),
        state=_state(statename, is_up=up is not None, is_paused=is_paused),
        pid=up.pid if up else None,
        started_at=_moment(up.started_at) if up else None,
        exits=state["exits"] if state else 0,
        crashes=state["crashes"] if state else 0,
        last_exit=state["last_exit"] if state else "",
        problem=state["problem"] if state else "",
        resumes_at=_moment(state["resumes_at"]) if state and is_paused else None,
        adopted=bool(up and up.watcher),
        enforced=up.enforced if up else {},
    )


def _state(statename: str, *, is_up: bool, is_paused: bool) -> ProcessState:
    if statename in ("STARTING", "RUNNING"):
        if is_up:
            return ProcessState.RUNNING
        return ProcessState.BACKOFF if is_paused else ProcessState.STARTING
    return ProcessState.FATAL if statename == "UNKNOWN" else ProcessState(statename.lower())


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
