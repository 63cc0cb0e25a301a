"""Builds one commit in directories of its own, which are gone afterwards."""

import errno
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from steerway.delivery.builds import errors, rules
from steerway.delivery.builds.adapters.node import NodeBuild
from steerway.delivery.builds.adapters.processes import Guard, Log, Runner, end_marked
from steerway.delivery.builds.adapters.python import PythonBuild
from steerway.delivery.builds.descriptor import BuildSection
from steerway.delivery.builds.rules import Kind, Machine

FREE_BYTES_MIN: Final = 256 * 10**6
CACHE_BYTES_MAX: Final = 5 * 10**9
LOGS_MAX: Final = 1000
MEGABYTE: Final = 10**6
MARK: Final = "STEERWAY_BUILD"
# What a build may learn of its machine: how to reach package indexes.
PASSED: Final = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_FIND_LINKS",
    "UV_OFFLINE",
    "npm_config_registry",
    "NPM_CONFIG_REGISTRY",
)
PATH: Final = "/usr/local/bin:/usr/bin:/bin"
TIME_OF_FILES: Final = "315532800"  # 1980-01-01, the first that a zip archive can hold


def base_python() -> Path:
    """The interpreter that Steerway's own environment was made of."""
    return Path(getattr(sys, "_base_executable", sys.executable))


def minor() -> str:
    """Its minor version, as 3.11."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True, slots=True)
class Job:
    """One build: what to do, and who may stop it."""

    id: UUID
    section: BuildSection
    export: Callable[[Path], None]
    cancelled: Callable[[], bool] = lambda: False
    alive: Callable[[], None] = lambda: None  # called now and then while it goes on


@dataclass(frozen=True, slots=True)
class Built:
    """Files that are ready to be sealed; they are gone when the build is left."""

    tree: Path
    kind: Kind
    python: str  # the minor version of the interpreter it needs, or empty
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds below `home`/builds, with logs in `home`/log/builds.

    `host` is the environment of this process; only what reaches package indexes is taken from
    it. `python` is the interpreter that Python services are built for.
    """

    home: Path
    host: Mapping[str, str]
    python: Path = field(default_factory=base_python)
    free_bytes_min: int = FREE_BYTES_MIN

    @property
    def machine(self) -> Machine:
        """What the files built here depend on."""
        return Machine(f"{sys.platform}-{platform.machine()}", minor())

    def log(self, build: UUID) -> Path:
        """The log of a build, which stays after it."""
        return self.home / "log" / "builds" / f"{build}.log"

    @contextmanager
    def build(self, job: Job) -> Iterator[Built]:
        """The built files, for as long as the block lasts.

        Raises:
            SourceUnready, StepFailed, Stopped, DiskFull: nothing is left behind.
        """
        self.check_disk()
        self.discard(job.id)
        try:
            with self._room():
                yield self._built(job)
        finally:
            self.discard(job.id)

    def check_disk(self) -> None:
        """Go on only when there is room for a build.

        Raises:
            DiskFull: there is not.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.home).free < self.free_bytes_min:
            raise self._full()

    def discard(self, build: UUID) -> None:
        """End what a build has started and remove its files; nothing when it left none."""
        place = self._place(build)
        if not place.exists():
            return
        end_marked(f"{MARK}={build}")
        _remove(place)

    def sweep(self, running: Collection[UUID]) -> list[UUID]:
        """Discard what builds left whose server was killed; their ids."""
        places = [p for p in (self.home / "builds").glob("*-*") if p.is_dir()]
        left = [UUID(p.name) for p in places if UUID(p.name) not in running]
        for build in left:
            self.discard(build)
        self.trim()
        if not running:
            _trim_cache(self._cache)
        return sorted(left)

    def trim(self) -> None:
        """Remove the oldest logs when there are too many."""
        logs = (self.home / "log" / "builds").glob("*.log")
        oldest_first = sorted(logs, key=lambda log: log.stat().st_mtime)
        for log in oldest_first[:-LOGS_MAX]:
            log.unlink(missing_ok=True)

    @property
    def _cache(self) -> Path:
        return self.home / "builds" / "cache"

    def _place(self, build: UUID) -> Path:
        return self.home / "builds" / str(build)

    def _built(self, job: Job) -> Built:
        place = self._place(job.id)
        tree, scratch = place / "tree", place / "scratch"
        scratch.mkdir(parents=True)
        (place / "home").mkdir()
        tree.mkdir()
        log = Log(self.log(job.id), job.section.limits.log)
        runner = Runner(tree, self._environment(job, place), log, self._guard(job, place))
        job.export(tree)
        kind = rules.kind(job.section, [p.name for p in tree.iterdir()])
        notes = self._run(kind, job.section, runner, scratch)
        _remove_caches(tree, kind)
        runner.guard.watch()
        end_marked(f"{MARK}={job.id}")
        return Built(tree, kind, minor() if kind is Kind.PYTHON else "", notes)

    def _run(
        self, kind: Kind, section: BuildSection, runner: Runner, scratch: Path
    ) -> tuple[str, ...]:
        def command() -> None:
            if section.command is not None:
                runner.run("/bin/sh", "-c", section.command, shown=section.command)

        if kind is Kind.PYTHON:
            python = PythonBuild(runner.directory, scratch, self.python, minor(), runner)
            return python.run(command)
        if kind is Kind.NODE:
            return NodeBuild(runner.directory, runner).run(command if section.command else None)
        command()
        return ()

    def _environment(self, job: Job, place: Path) -> dict[str, str]:
        cache = self._cache
        programs = [f"{place}/tree/.venv/bin", f"{place}/tree/node_modules/.bin"]
        own = {
            "PATH": ":".join([*programs, f"{place}/scratch/bin", self._path()]),
            "HOME": str(place / "home"),
            "TMPDIR": str(place / "scratch"),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "CI": "true",
            "SOURCE_DATE_EPOCH": TIME_OF_FILES,
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "UV_CACHE_DIR": str(cache / "uv"),
            "UV_LINK_MODE": "copy",  # a release shares no file with the cache
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_SYSTEM_CERTS": "true",  # as npm and git do
            "UV_NO_PROGRESS": "1",
            "npm_config_cache": str(cache / "npm"),
            "npm_config_ignore_scripts": "true",
            "npm_config_audit": "false",
            "npm_config_fund": "false",
            "npm_config_update_notifier": "false",
        }
        passed = {name: self.host[name] for name in PASSED if name in self.host}
        return passed | own | job.section.environment | {MARK: str(job.id)}

    def _path(self) -> str:
        """The machine's programs, without those of the environment that Steerway runs in."""
        ours = str(Path(sys.prefix) / "bin") if sys.prefix != sys.base_prefix else ""
        parts = self.host.get("PATH", PATH).split(":")
        return ":".join(part for part in parts if part and part != ours)

    def _guard(self, job: Job, place: Path) -> Guard:
        limit = job.section.limits.output

        def watch() -> None:
            job.alive()
            if shutil.disk_usage(self.home).free < self.free_bytes_min // 4:
                raise self._full()
            if _size_bytes(place) > limit:
                reason = f"wrote more than {limit // MEGABYTE} MB, the limit (build.limits.output)"
                raise errors.StepFailed(command="The build", reason=reason)

        seconds = job.section.timeout.total_seconds()
        return Guard(time.monotonic() + seconds, seconds, job.cancelled, watch)

    @contextmanager
    def _room(self) -> Iterator[None]:
        """A full disk, seen by us or by a command, is one sentence."""
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise self._full() from error
            raise
        except errors.StepFailed as error:
            if shutil.disk_usage(self.home).free < self.free_bytes_min // 4:
                raise self._full() from error
            raise

    def _full(self) -> errors.DiskFull:
        free = shutil.disk_usage(self.home).free // MEGABYTE
        needed = self.free_bytes_min // MEGABYTE
        return errors.DiskFull(home=self.home, free=free, needed=needed)


def _remove_caches(tree: Path, kind: Kind) -> None:
    """Bytecode that holds times and paths, unless we wrote it ourselves."""
    if kind is Kind.PYTHON:
        return
    for cache in list(tree.rglob("__pycache__")):
        shutil.rmtree(cache)


def _trim_cache(cache: Path) -> None:
    """Remove the cache of packages when it has grown too large."""
    if cache.exists() and _size_bytes(cache) > CACHE_BYTES_MAX:
        _remove(cache)


def _remove(place: Path) -> None:
    """Remove a directory whatever a build did to its permissions."""
    place.chmod(0o700)
    for parent, directories, _ in os.walk(place):
        for name in directories:
            if not (Path(parent) / name).is_symlink():
                (Path(parent) / name).chmod(0o700)
    shutil.rmtree(place)


def _size_bytes(directory: Path) -> int:
    """Space taken below a directory that changes while it is counted."""
    total = 0
    pending = [str(directory)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:  # a file or directory was removed between two looks
            continue
    return total
