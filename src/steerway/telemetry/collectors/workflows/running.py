"""Has every source looked at on time, whatever the others do."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from steerway.platform.errors import SteerwayError
from steerway.telemetry.collectors.rules.board import Board, Looked
from steerway.telemetry.collectors.rules.timetable import Timetable
from steerway.telemetry.collectors.workflows.sources import Source
from steerway.telemetry.scraping.rules.batch import Batch

LOGGER = logging.getLogger("steerway.collectors")

THREADS: Final = 6
CHECK_SECONDS: Final = 2.0  # between two questions for what there is to look at
COMPLAIN_SECONDS: Final = 60.0
STOP_SECONDS: Final = 5.0
SLEEP_MAX_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Task:
    """One source of one collector. `key` is unique and changes when the source would differ."""

    collector: str
    what: str
    interval: float
    make: Callable[[], Source] = field(hash=False, compare=False)
    key: str = ""

    @property
    def name(self) -> str:
        """How it is known."""
        return f"{self.collector} {self.what} {self.key}"


@dataclass(slots=True)
class _Running:
    task: Task
    source: Source
    is_busy: bool = False
    is_over: bool = False


class Collectors:
    """One thread that keeps time, and a few that look.

    `tasks` says what there is to look at, `paused` which collectors are not to look; both are
    asked again and again. `sink` takes the samples.
    """

    def __init__(
        self,
        tasks: Callable[[], Iterable[Task]],
        *,
        sink: Callable[[Batch], None],
        paused: Callable[[], frozenset[str]],
        board: Board,
        now: Callable[[], datetime],
    ) -> None:
        self._tasks = tasks
        self._sink = sink
        self._paused = paused
        self._board = board
        self._now = now
        self._running: dict[str, _Running] = {}
        self._timetable = Timetable()
        self._said: dict[str, float] = {}
        self._checked_at = -CHECK_SECONDS
        self._ending = threading.Event()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="collect")
        self._thread = threading.Thread(target=self._run, name="collectors", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End. The series go on when the server does."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def check(self, now: float) -> None:
        """Ask what there is to look at; what there is not any more ends."""
        paused = self._paused()
        wanted = {one.name: one for one in self._tasks() if one.collector not in paused}
        for name in self._running.keys() - wanted.keys():
            self._end(name)
        fresh = wanted.keys() - self._running.keys()
        for name in fresh:
            self._running[name] = _Running(wanted[name], wanted[name].make())
        self._timetable.set({name: one.interval for name, one in wanted.items()}, now)
        self._timetable.soon(fresh, now)

    def turn(self, now: float) -> None:
        """Have everything looked at that is due; what is still being looked at is left out."""
        for name in self._timetable.due(now):
            one = self._running[name]
            if one.is_busy:
                self._board.late(name)
                continue
            one.is_busy = True
            self._pool.submit(self._look, name, one)

    def _run(self) -> None:
        while not self._ending.is_set():
            now = time.monotonic()
            if now - self._checked_at >= CHECK_SECONDS:
                self._checked_at = now
                self._guarded("collectors", partial(self.check, now))
            self.turn(now)
            self._ending.wait(min(self._timetable.wait(time.monotonic()), SLEEP_MAX_SECONDS))

    def _look(self, name: str, one: _Running) -> None:
        began, samples = time.perf_counter(), 0

        def look() -> None:
            nonlocal samples
            for batch in one.source.look(self._ms()):
                samples += len(batch)
                self._sink(batch)

        try:
            error = self._guarded(name, look)
            failure = error or getattr(one.source, "failure", None)
            if failure is not None and error is None:
                self._complain(name, str(failure))
            seconds = time.perf_counter() - began
            said = str(failure) if failure is not None else ""
            task = one.task
            self._board.note(
                name, Looked(task.collector, task.what, self._now(), seconds, samples, said)
            )
        finally:
            one.is_busy = False
            if one.is_over:
                self._ended(name, one)

    def _end(self, name: str) -> None:
        one = self._running.pop(name)
        one.is_over = True
        if not one.is_busy:
            self._pool.submit(self._ended, name, one)

    def _ended(self, name: str, one: _Running) -> None:
        self._board.forget(name)
        self._said.pop(name, None)
        self._guarded(name, lambda: [self._sink(batch) for batch in one.source.end(self._ms())])

    def _guarded(self, name: str, work: Callable[[], object]) -> Exception | None:
        """Do it; an error is said once a minute and stops nobody else."""
        try:
            work()
        except SteerwayError as error:
            self._complain(name, str(error))
            return error
        except Exception as error:  # one collector must not stop the others
            if self._is_news(name):
                LOGGER.exception("%s failed", name)
            return error
        return None

    def _complain(self, name: str, sentence: str) -> None:
        if self._is_news(name):
            LOGGER.warning("%s: %s", name, sentence)

    def _is_news(self, name: str) -> bool:
        now = time.monotonic()
        if now - self._said.get(name, -COMPLAIN_SECONDS) < COMPLAIN_SECONDS:
            return False
        self._said[name] = now
        return True

    def _ms(self) -> int:
        return round(self._now().timestamp() * 1000)
