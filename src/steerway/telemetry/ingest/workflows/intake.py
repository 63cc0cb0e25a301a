"""The way of all telemetry into the store."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa

from steerway.platform.errors import SteerwayError, Unavailable
from steerway.telemetry.ingest.adapters.journal import NO_DIGEST, Journal
from steerway.telemetry.ingest.errors import NotStored
from steerway.telemetry.ingest.rules.book import SeriesBook
from steerway.telemetry.ingest.rules.limits import DEFAULT, IngestLimits, Refusals
from steerway.telemetry.ingest.rules.own import own
from steerway.telemetry.ingest.rules.samples import Samples, Series, SeriesSet, table_of
from steerway.telemetry.ingest.rules.tables import LATE, fitted
from steerway.telemetry.ingest.workflows import storing
from steerway.telemetry.ingest.workflows.queue import STOPPING, Batch, Queue
from steerway.telemetry.store import Store, series_id

LOGGER = logging.getLogger("steerway.ingest")

NO_SERIES: Final[SeriesSet] = {}
FORGET_EVERY: Final = timedelta(minutes=10)
AWAY_SECONDS: Final = 1.0  # until the store is tried again
STOP_SECONDS: Final = 10.0


@dataclass(slots=True)
class Parcel:
    """What one request brought: rows by table, what was refused of it, its body's digest."""

    tables: dict[str, pa.Table] = field(default_factory=dict)
    refusals: Refusals = field(default_factory=Refusals)
    digest: bytes = NO_DIGEST


class Intake:
    """Takes telemetry from its sources and stores it in batches.

    `store` gives the open store. `series_max` says how many series a service may have. What is
    taken is in the journal when a method returns, and so survives a kill of this process; without
    a directory for the `journal`, what waits is lost with the process.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        *,
        now: Callable[[], datetime],
        journal: Path | None = None,
        limits: IngestLimits = DEFAULT,
        series_max: Callable[[str], int] | None = None,
    ) -> None:
        self.limits = limits
        self.book = SeriesBook(limits, series_max or (lambda _: limits.series_max))
        self.counts: Counter[str] = Counter()
        # Of bodies that were taken in before this process began and stored by it.
        self.digests: set[bytes] = set()
        self._store = store
        self._now = now
        self._journal = Journal(journal) if journal else None
        self._queue = Queue(self._journal, limits)
        # Series are written down no later than the first samples that need them.
        self._putting = threading.Lock()
        self._left: list[Batch] = []
        self._ending = threading.Event()
        self._forgot_at = now()
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)

    def start(self) -> None:
        """Store what an earlier process has left, and begin to store what comes."""
        if self._journal is not None:
            for segment in self._journal.left:
                batch = Batch(segment=segment)
                for record in self._journal.records(segment):
                    batch.add(record.tables, record.digest)
                self.digests.update(batch.digests)
                self._left.append(batch)
            self.digests.update(self._journal.digests)
        self._thread.start()

    def stop(self) -> None:
        """Store what waits, and end; whoever waits for more than that hears NotStored."""
        self._ending.set()
        self._queue.close()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        self._queue.end()
        if self._journal is not None:
            self._journal.close()

    @property
    def waiting_bytes(self) -> int:
        """What waits to be stored."""
        return self._queue.size_bytes

    @property
    def now_ms(self) -> int:
        """The server's clock."""
        return round(self._now().timestamp() * 1000)

    def add_samples(
        self, samples: Samples, series: SeriesSet = NO_SERIES, *, wait: bool = False
    ) -> Refusals:
        """Take samples; says what was refused, and why.

        `series` describes the series; only what is new here is looked up in it, so a source may
        pass all it knows each time. With `wait`, they can be queried when this returns.

        Raises:
            QueueFull: too much waits.
            NotStored: the journal or, with `wait`, the store did not take them.
            SeriesForgotten: a series is not known, and not described.
        """
        refusals = Refusals()
        self._add(self.admit("samples", table_of(samples), series, refusals), wait=wait)
        self.counts.update(refusals.counts)
        return refusals

    def enter(self, series: Series) -> int:
        """The id of a series, once it may send samples; 0 when its service has too many."""
        id_ = series_id(series.metric, series.labels)
        return id_ if self.book.enter(id_, series, self.now_ms) else 0

    def refuse(self, labels: Mapping[str, str], rows: int, refusals: Refusals) -> None:
        """Count samples of a series that was not let in."""
        self.book.refuse(labels, rows, self.now_ms, refusals)

    def admit(
        self, name: str, rows: pa.Table, series: SeriesSet, refusals: Refusals
    ) -> dict[str, pa.Table]:
        """Those rows of `samples` or `histograms` that may be stored, for a parcel.

        Raises:
            SeriesForgotten: a series is not known, and not described.
        """
        rows = fitted(name, rows)
        if not rows.num_rows:
            return {}
        ids, times = rows["id"].to_numpy(), rows["ts"].cast(pa.int64()).to_numpy()
        admitted = self.book.admit(ids, times, series, self.now_ms, refusals)
        if admitted.is_fresh.all():
            return {name: rows}
        return {
            name: rows.filter(pa.array(admitted.is_fresh)),
            f"{name}{LATE}": rows.filter(pa.array(admitted.is_late)),
        }

    def add_histograms(
        self, table: pa.Table, series: SeriesSet = NO_SERIES, *, wait: bool = False
    ) -> Refusals:
        """Take native histograms: rows like the table `histograms`."""
        refusals = Refusals()
        self._add(self.admit("histograms", table, series, refusals), wait=wait)
        self.counts.update(refusals.counts)
        return refusals

    def add_logs(self, table: pa.Table, *, wait: bool = False) -> None:
        """Take log lines: rows like the table `logs`."""
        self._add({"logs": table}, wait=wait)

    def add_spans(self, table: pa.Table, *, wait: bool = False) -> None:
        """Take spans: rows like the table `spans`."""
        self._add({"spans": table}, wait=wait)

    def add_requests(self, table: pa.Table, *, wait: bool = False) -> None:
        """Take lines of the router's access log: rows like the table `requests`."""
        self._add({"requests": table}, wait=wait)

    def add_metadata(self, table: pa.Table, *, wait: bool = False) -> None:
        """Take the types, units and help texts of metrics: rows like the table `metadata`."""
        self._add({"metadata": table}, wait=wait)

    def add_own(self) -> None:
        """Take what the intake says about itself."""
        by_service = {name: count for name, count in self.book.counts.items() if count}
        samples, series = own(dict(self.counts), by_service, self.waiting_bytes, self.now_ms)
        self.add_samples(samples, series)

    def submit(self, parcel: Parcel) -> "Future[None]":
        """Take what a request brought; the future ends when it can be queried.

        Raises:
            QueueFull: too much waits.
            NotStored: the journal did not take it.
        """
        self.counts.update(parcel.refusals.counts)
        return self._put(parcel.tables, parcel.digest)

    def settle(self) -> None:
        """Have what waits stored now; all of it can be queried when this returns."""
        self._queue.hurry().result()

    def _add(self, tables: Mapping[str, pa.Table], *, wait: bool) -> None:
        stored = self._put(tables, NO_DIGEST)
        if wait:
            self._queue.hurry()
            stored.result()

    def _put(self, tables: Mapping[str, pa.Table], digest: bytes) -> "Future[None]":
        fit = {
            name: fitted(name.removesuffix(LATE), rows)
            for name, rows in tables.items()
            if rows.num_rows
        }
        if not fit:
            nothing: Future[None] = Future()
            nothing.set_result(None)
            return nothing
        with self._putting:
            series, mark = self.book.owed()
            if series is not None:
                fit["series"] = series
            try:
                return self._queue.put(fit, digest)
            except SteerwayError:
                self.book.owe_again(mark)
                raise

    def _run(self) -> None:
        try:
            while self._left and not self._ending.is_set():
                self._store_batch(self._left.pop(0))
            while not self._ending.is_set():
                self._step()
            self._step()
        finally:
            self._queue.end()

    def _step(self) -> None:
        self._store_batch(self._queue.take())
        now = self._now()
        if now - self._forgot_at >= FORGET_EVERY:
            self._forgot_at = now
            self.book.forget_silent(self.now_ms)

    def _store_batch(self, batch: Batch) -> None:
        """Store a batch, however long the store is away; the journal has it meanwhile."""
        while not self._stored(batch):
            if self._ending.wait(AWAY_SECONDS):
                # The next server finds it in the journal.
                batch.end(NotStored(reason=STOPPING))
                return

    def _stored(self, batch: Batch) -> bool:
        lost: Exception | None = None
        try:
            storing.store(self._store(), batch, self.counts)
        except Unavailable:
            self.counts["away"] += 1
            return False
        except Exception as error:  # a loop that must go on
            LOGGER.exception("the store refuses a batch, which is set aside in the journal")
            self.counts["lost"] += batch.rows
            lost = error
        self._conclude(batch, lost)
        return True

    def _conclude(self, batch: Batch, lost: Exception | None) -> None:
        if self._journal is not None and lost is None:
            self._journal.drop(batch.segment, batch.digests)
        elif self._journal is not None:
            self._journal.set_aside(batch.segment)
        batch.end(lost)
