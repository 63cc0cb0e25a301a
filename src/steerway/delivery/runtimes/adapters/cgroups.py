"""Control groups, version 1 and 2: limits that hold for a process and all its children.

Every program gets a group of its own where groups may be made, with limits or without,
because a group is also the surest list of a program's processes. The shim uses this too, so:
the standard library only.
"""

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/sys/fs/cgroup")
PREFIX = "steerway-"
CPU_PERIOD = 100_000  # microseconds; the kernel's default
_OWN_LEAF = "supervisord"
_USED = ("memory", "cpu", "pids", "")
# limit -> (controller of version 1, its file, file of version 2)
_FILES = {
    "memory": ("memory", "memory.limit_in_bytes", "memory.max"),
    "cpus": ("cpu", "cpu.cfs_quota_us", "cpu.max"),
    "processes": ("pids", "pids.max", "pids.max"),
}


class Base(NamedTuple):
    """Where groups of one hierarchy are made. `version` is 1 or 2."""

    version: int
    directory: Path


def bases(mounts: str, own: str, *, is_root: bool = False) -> dict[str, Base]:
    """By controller ("" is version 2), where a process with /proc/PID/cgroup `own` makes groups.

    What lies inside another of our groups starts beside it instead. In version 2 a group that
    holds processes cannot hand limits down, except the topmost, which root therefore takes.
    """
    paths = {}
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        paths.update(dict.fromkeys(controllers.split(","), path))
    found = {}
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        root, mount = left.split(" ")[3:5]
        if kind not in ("cgroup", "cgroup2"):
            continue
        for name in [""] if kind == "cgroup2" else options.split(","):
            if name in paths and name in _USED:
                version = 2 if kind == "cgroup2" else 1
                path = root if version == 2 and is_root else paths[name]  # noqa: PLR2004
                found[name] = Base(version, _outside(Path(mount), root, path))
    return found


def here() -> dict[str, Base]:
    """The bases of this process."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text()
        own = Path("/proc/self/cgroup").read_text()
    except OSError:
        return {}
    return bases(mounts, own, is_root=os.geteuid() == 0)


def enter(
    found: dict[str, Base], group: str, limits: dict[str, float], pid: int
) -> tuple[list[str], dict[str, str]]:
    """Put `pid` into the group under limits: the directories made, and which limit holds how."""
    made: dict[str, str] = {}
    for limit, (controller, old, new) in _FILES.items():
        base = found.get(controller) or found.get("")
        if base is None or not (limit in limits or limit == "processes"):
            continue
        directory = base.directory / group
        if not _make(base, directory):
            continue
        file = directory / (old if base.version == 1 else new)
        value = limits.get(limit)
        is_set = value is not None and _write(file, _text(limit, value, base.version))
        made[limit] = f"{directory}" if is_set or value is None else ""
    joined = [path for path in set(made.values()) if _write(Path(path, "cgroup.procs"), str(pid))]
    version = {limit: (found.get(_FILES[limit][0]) or found[""]).version for limit in made}
    enforced = {n: f"cgroup v{version[n]}" for n in limits if made.get(n) in joined}
    return sorted(joined), enforced


def oom_kills(directories: list[str]) -> int:
    """How often the kernel killed a process of these groups for want of memory."""
    total = 0
    for directory in directories:
        for name in ("memory.oom_control", "memory.events"):
            with contextlib.suppress(OSError):
                lines = Path(directory, name).read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return total


def remove(directories: list[str]) -> bool:
    """Remove empty groups; whether all are gone. One whose last process just ended is busy yet."""
    for directory in directories:
        with contextlib.suppress(OSError):
            Path(directory).rmdir()
    return not any(Path(directory).exists() for directory in directories)


def remove_all(found: dict[str, Base], group: str) -> bool:
    """Remove the group of an installation with all that are empty in it; whether it is gone."""
    tops = [base.directory / group for base in found.values()]
    children = [str(it) for top in tops if top.exists() for it in top.iterdir() if it.is_dir()]
    return remove([*children, *map(str, tops)])


def ways_out(group: str) -> list[str]:
    """Files that take whoever writes its pid to them out of the groups of ours it was born in.

    Without them a supervisord that a program starts would be one of the program's processes.
    """
    try:
        is_inside = f"/{PREFIX}" in Path("/proc/self/cgroup").read_text()
    except OSError:
        return []
    leaves = [(it, it.directory / group / _OWN_LEAF) for it in here().values() if is_inside]
    return [str(leaf / "cgroup.procs") for base, leaf in leaves if _make(base, leaf)]


def _outside(mount: Path, root: str, path: str) -> Path:
    inside = path.removeprefix(root) if root != "/" else path
    before, _, _ = inside.partition(f"/{PREFIX}")
    return mount / before.strip("/")


def _make(base: Base, directory: Path) -> bool:
    """Make the directory; in version 2 its parents must hand the controllers down first."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    if base.version == 2:  # noqa: PLR2004 -- the version
        for parent in (base.directory, *_between(base.directory, directory)):
            for controller in ("memory", "cpu", "pids"):
                _write(parent / "cgroup.subtree_control", f"+{controller}")
    return os.access(directory / "cgroup.procs", os.W_OK)


def _between(top: Path, bottom: Path) -> list[Path]:
    return [p for p in reversed(bottom.parents) if p.is_relative_to(top) and p != top]


def _text(limit: str, value: float, version: int) -> str:
    if limit != "cpus":
        return str(int(value))
    quota = int(value * CPU_PERIOD)
    return str(quota) if version == 1 else f"{quota} {CPU_PERIOD}"


def _write(file: Path, text: str) -> bool:
    try:
        # Never "w": a missing control file must not become an ordinary one.
        descriptor = os.open(file, os.O_WRONLY)
    except OSError:
        return False
    try:
        os.write(descriptor, text.encode())
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
