"""The way of all telemetry into the store."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import pyarrow as pa

from steerway.platform.errors import SteerwayError, Unavailable
from steerway.telemetry.ingest.errors import NotStored
from steerway.telemetry.ingest.queries import news
from steerway.telemetry.ingest.rules.book import SeriesBook
from steerway.telemetry.ingest.rules.limits import DEFAULT, IngestLimits, Refusals
from steerway.telemetry.ingest.rules.samples import Samples, Series, SeriesSet, table_of
from steerway.telemetry.ingest.rules.tables import fitted
from steerway.telemetry.ingest.workflows.queue import Batch, Queue
from steerway.telemetry.store import QueryFailed, Store, series_id
from steerway.telemetry.store.store import BATCH_ROWS_MAX

LOGGER = logging.getLogger("steerway.ingest")

NO_SERIES: Final[SeriesSet] = {}
FORGET_EVERY: Final = timedelta(minutes=10)
AWAY_SECONDS: Final = 1.0  # until the store is tried again
STOP_SECONDS: Final = 10.0
# The queue of rows that may be there already, beside the one of rows that cannot be.
LATE: Final = ".late"
WITH_IDS: Final = {"samples", "histograms"}


@dataclass(slots=True)
class Parcel:
    """What one request brought: rows by table, and what was refused of it."""

    tables: dict[str, pa.Table] = field(default_factory=dict)
    refusals: Refusals = field(default_factory=Refusals)
    rows: int = 0


class Intake:
    """Takes telemetry from its sources and stores it in batches.

    `store` gives the open store. `series_max` says how many series a service may have.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        *,
        now: Callable[[], datetime],
        limits: IngestLimits = DEFAULT,
        series_max: Callable[[str], int] | None = None,
    ) -> None:
        self.limits = limits
        self.book = SeriesBook(limits, series_max or (lambda _: limits.series_max))
        self.counts: Counter[str] = Counter()
        self._store = store
        self._now = now
        self._queue = Queue(limits.queue_bytes, limits.batch_rows, limits.linger.total_seconds())
        self._ending = threading.Event()
        self._forgot_at = now()
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)

    def start(self) -> None:
        """Begin to store what comes."""
        self._thread.start()

    def stop(self) -> None:
        """Store what waits, and end."""
        self._ending.set()
        self._queue.close()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

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
        pass all it knows each time. With `wait`, they are stored when this returns.

        Raises:
            QueueFull: too much waits.
            NotStored: the store did not take them (only with `wait`).
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

    def submit(self, parcel: Parcel) -> "Future[None]":
        """Take what a request brought; the future ends when it is stored.

        Raises:
            QueueFull: too much waits.
        """
        tables = _fitted(parcel.tables)
        self.counts.update(parcel.refusals.counts)
        if not tables:
            nothing: Future[None] = Future()
            nothing.set_result(None)
            return nothing
        return self._queue.put(tables, wait=True)

    def _add(self, tables: Mapping[str, pa.Table], *, wait: bool) -> None:
        fit = _fitted(tables)
        if not fit:
            return
        done = self._queue.put(fit, wait=wait)
        if wait:
            done.result()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._store_next()
            except Exception:  # a loop that must go on
                LOGGER.exception("a batch was lost")
                self.counts["lost.batches"] += 1
        self._store_next()

    def _store_next(self) -> None:
        batch = self._queue.take()
        failed: dict[str, Exception] = dict.fromkeys(batch.pieces, NotStored(reason="a mistake"))
        try:
            failed = self._stored(batch.tables())
        finally:
            self._tell(batch, failed)
        if failed:
            self._keep(batch, failed)
            self._ending.wait(AWAY_SECONDS)
        now = self._now()
        if now - self._forgot_at >= FORGET_EVERY:
            self._forgot_at = now
            self.book.forget_silent(self.now_ms)

    def _tell(self, batch: Batch, failed: Mapping[str, Exception]) -> None:
        for names, done in batch.senders:
            reasons = [failed[name] for name in names if name in failed]
            if reasons:
                done.set_exception(NotStored(reason=reasons[0]))
            else:
                done.set_result(None)

    def _stored(self, tables: Mapping[str, pa.Table]) -> dict[str, Exception]:
        """Write a batch; the tables that could not be written, with the reason."""
        series, mark = self.book.owed()
        failed: dict[str, Exception] = {}
        self._insert("series", series, failed)
        if failed:
            # Samples without their series would be there and could not be found.
            self.book.owe_again(mark)
            return dict.fromkeys(tables, failed["series"])
        for name in sorted(tables, key=lambda name: name.endswith(LATE)):
            self._insert(name, tables[name], failed)
        return failed

    def _insert(self, name: str, table: pa.Table, failed: dict[str, Exception]) -> None:
        if not table.num_rows:
            return
        try:
            store = self._store()
            if name.endswith(LATE):
                name = name.removesuffix(LATE)
                table = news(store, name, table)
            for start in range(0, table.num_rows, BATCH_ROWS_MAX):
                store.insert(name, table.slice(start, BATCH_ROWS_MAX))
            self.counts[f"stored.{name}"] += table.num_rows
        except (SteerwayError, QueryFailed) as error:
            failed[name] = error
            if not isinstance(error, Unavailable):
                LOGGER.exception("rows of %s were refused by the store", name)

    def _keep(self, batch: Batch, failed: Mapping[str, Exception]) -> None:
        """What nobody would send again is tried again, as long as the queue has room."""
        for name, error in failed.items():
            table = batch.unwaited_table(name)
            if table is None:
                continue
            # What failed may still have been stored, so it is compared with what is there.
            again = f"{name}{LATE}" if name in WITH_IDS else name
            if not isinstance(error, Unavailable) or not self._queue.put_back(again, table):
                self.counts[f"lost.{name}"] += table.num_rows


def _fitted(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    return {
        name: fitted(name.removesuffix(LATE), rows)
        for name, rows in tables.items()
        if rows.num_rows
    }
