"""From the body of a request to rows in the store."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import pyarrow as pa

from steerway.telemetry.decoding import otlp_logs, otlp_metrics, otlp_spans
from steerway.telemetry.decoding.attributes import Place
from steerway.telemetry.decoding.otlp_found import Metrics
from steerway.telemetry.decoding.otlp_logs import LogsDecoder
from steerway.telemetry.decoding.otlp_metrics import MetricsDecoder, metadata_table
from steerway.telemetry.decoding.otlp_rows import in_time
from steerway.telemetry.decoding.otlp_spans import SpansDecoder
from steerway.telemetry.ingest.rules.limits import Refusals
from steerway.telemetry.ingest.rules.samples import table_of
from steerway.telemetry.ingest.workflows import Intake, Parcel
from steerway.telemetry.receiving.rules.remote_write import WriteDecoder, Written
from steerway.telemetry.receiving.rules.unpacking import of_json, unpacked

METADATA_EVERY_MS: Final = 600_000
BODIES_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Received:
    """A request that was taken in, so that it can be answered; `stored` ends once it is there."""

    stored: "Future[None]"
    refusals: Refusals


class Receiver:
    """Takes the bodies of stock clients. One per server; its methods may run in many threads.

    Samples have an identity, so one that is sent twice counts once. Log lines and spans have
    none here: a body of them that comes again, because its answer was lost, is recognised by its
    digest while it is among the newest, also when it waited in the journal of a killed process.
    """

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._metrics = MetricsDecoder(intake.enter, intake.refuse)
        self._write = WriteDecoder(intake.enter, intake.refuse)
        self._logs = LogsDecoder()
        self._spans = SpansDecoder()
        # Decoding keeps the interpreter busy: two bodies at a time would be no faster, only larger.
        self._decoding = threading.Lock()
        self._generation = 0
        self._described: dict[str, tuple[str, str, str]] = {}
        self._described_ms = 0
        self._bodies: OrderedDict[bytes, Received] = OrderedDict()

    def metrics(
        self, body: bytes, encoding: str, *, is_json: bool, place: Place | None = None
    ) -> Received:
        """An OTLP request with metrics; with a `place`, of that one whatever it says.

        Raises:
            BodyInvalid, BodyTooLarge, FormUnknown: it is not taken.
            QueueFull: too much waits.
        """
        with self._decoding:
            plain = self._plain(body, encoding, otlp_metrics.WHOLE if is_json else None)
            self._forget()
            return self._submit_samples(self._metrics.decode(plain, place))

    def write(self, body: bytes) -> Received:
        """A Prometheus remote write request, packed with snappy."""
        with self._decoding:
            plain = self._plain(body, "snappy", None)
            self._forget()
            return self._submit_samples(self._write.decode(plain))

    def logs(
        self, body: bytes, encoding: str, *, is_json: bool, place: Place | None = None
    ) -> Received:
        """An OTLP request with log records."""
        kind = otlp_logs.WHOLE if is_json else None
        return self._once("logs", (body, encoding, kind), self._log_rows, place)

    def spans(
        self, body: bytes, encoding: str, *, is_json: bool, place: Place | None = None
    ) -> Received:
        """An OTLP request with spans."""
        kind = otlp_spans.WHOLE if is_json else None
        return self._once("spans", (body, encoding, kind), self._spans.decode, place)

    def _log_rows(self, plain: bytes, _: Refusals, place: Place | None) -> pa.Table:
        return self._logs.decode(plain, self._intake.now_ms, place)

    def _plain(self, body: bytes, encoding: str, json_kind: type[Any] | None) -> bytes:
        plain = unpacked(body, encoding, self._intake.limits.unpacked_bytes)
        return plain if json_kind is None else of_json(plain, json_kind)

    def _forget(self) -> None:
        """A series that was taken out of the book is described anew when it comes again."""
        if self._generation != self._intake.book.generation:
            self._generation = self._intake.book.generation
            self._metrics.forget()
            self._write.forget()

    def _submit_samples(self, found: Metrics | Written) -> Received:
        parcel = Parcel(refusals=found.refusals)
        samples, natives = table_of(found.gathered.samples()), found.natives.table()
        parcel.tables |= self._intake.admit("samples", samples, {}, found.refusals)
        parcel.tables |= self._intake.admit("histograms", natives, {}, found.refusals)
        if found.metadata:
            parcel.tables["metadata"] = self._news(found.metadata)
        return Received(self._intake.submit(parcel), found.refusals)

    def _news(self, metadata: dict[str, tuple[str, str, str]]) -> pa.Table:
        """What is said of metrics, unless it was said just now."""
        now_ms = self._intake.now_ms
        if now_ms - self._described_ms > METADATA_EVERY_MS:
            self._described.clear()
            self._described_ms = now_ms
        described = self._described
        news = {name: said for name, said in metadata.items() if described.get(name) != said}
        described |= news
        return metadata_table(news, now_ms)

    def _once(
        self,
        table: str,
        packed: tuple[bytes, str, type[Any] | None],
        decode: Callable[[bytes, Refusals, Place | None], pa.Table],
        place: Place | None,
    ) -> Received:
        """Take a body, unless it is being taken or was."""
        whose = "/".join((table, *(place or ())))
        digest = blake2b(whose.encode() + packed[0], digest_size=16).digest()
        intake = self._intake
        with self._decoding:
            known = self._bodies.get(digest)
            if known is not None:
                return known
            if digest in intake.digests:
                return Received(intake.submit(Parcel()), Refusals())
            refusals = Refusals()
            decoded = decode(self._plain(*packed), refusals, place)
            rows = in_time(decoded, intake.now_ms, intake.limits, refusals)
            received = Received(intake.submit(Parcel({table: rows}, refusals, digest)), refusals)
            self._bodies[digest] = received
            if len(self._bodies) > BODIES_REMEMBERED:
                self._bodies.popitem(last=False)
            return received
