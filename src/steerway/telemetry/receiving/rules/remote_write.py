"""Prometheus remote write 1.0, decoded to samples, native histograms and metadata.

A series is a run of bytes: its labels, then its samples. The samples are stripped off the end by
numpy, for all series of a body at once; what is left are the labels, whose bytes are the key of a
cache. Only an unseen series is decoded as a message.
Source: Prometheus Remote-Write Specification 1.0; prompb/types.proto.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from google.protobuf.message import DecodeError

from steerway.telemetry.decoding.columns import Gathered, Names
from steerway.telemetry.decoding.errors import BodyInvalid
from steerway.telemetry.decoding.natives import Natives, of_prometheus
from steerway.telemetry.decoding.otlp_metrics import Enter
from steerway.telemetry.decoding.protobuf import WRITE, messages
from steerway.telemetry.ingest.rules.limits import Refusals
from steerway.telemetry.ingest.rules.samples import Series

RAW: Final = messages(WRITE, raw={"Request.timeseries": "*bytes"})
SERIES_CACHED_MAX: Final = 500_000
FIRST_PLACES: Final = 1024
UNKNOWN: Final = -1
# A sample at the end of a series: 0x12 its length, 0x09 and eight bytes of value unless the value
# is zero, 0x10 and a time of six bytes, as every millisecond from 2004 to 2109 has.
WITH_VALUE, WITHOUT_VALUE = 18, 9
STRIPS_MAX: Final = 512  # samples of one series; longer runs are decoded as messages
TYPES: Final = (
    *("unknown", "counter", "gauge", "histogram"),
    *("gaugehistogram", "summary", "info", "stateset"),
)
SAMPLE_TAG, VALUE_TAG, TIME_TAG, CONTINUED = 0x12, 0x09, 0x10, 0x80
VALUED_LENGTH, ZERO_LENGTH = 0x10, 0x07


@dataclass(slots=True)
class Written:
    """What a body holds."""

    gathered: Gathered
    natives: Natives = field(default_factory=Natives)
    metadata: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    refusals: Refusals = field(default_factory=Refusals)


class WriteDecoder:
    """Decodes bodies, and remembers the series it has seen."""

    def __init__(self, enter: Enter, refuse: Callable[[Mapping[str, str], int, Refusals], None]):
        self._enter = enter
        self._refuse = refuse
        self.forget()

    def forget(self) -> None:
        """Look at every series anew."""
        self._names = Names()
        # By the bytes of its labels: the place of a series in the two columns.
        self._known: dict[bytes, int] = {}
        self._ids = np.zeros(FIRST_PLACES, np.uint64)
        self._metrics = np.zeros(FIRST_PLACES, np.int32)

    def decode(self, body: bytes) -> Written:
        """The content of one request, already unpacked.

        Raises:
            BodyInvalid: it is no write request.
        """
        if len(self._known) > SERIES_CACHED_MAX:
            self.forget()
        found = Written(Gathered(self._names))
        try:
            request = RAW["Request"].FromString(body)
            for raw in self._take_known(list(request.timeseries), found.gathered):
                self._series(raw, found)
        except DecodeError as error:
            raise BodyInvalid(what="a write request", reason="it cannot be decoded") from error
        for item in request.metadata:
            kind = TYPES[item.type] if 0 <= item.type < len(TYPES) else TYPES[0]
            found.metadata[item.metric_family_name] = (kind, item.unit, item.help)
        return found

    def _take_known(self, series: list[bytes], gathered: Gathered) -> list[bytes]:
        """Gather the samples of known series; the other series are answered."""
        if not series:
            return []
        run = _Run(series)
        heads = run.strip()
        get = self._known.get
        found = [get(raw[:size], UNKNOWN) for raw, size in zip(series, heads, strict=True)]
        places = np.array(found, np.int64)
        rows, times, values = run.samples()
        keep = places[rows] != UNKNOWN
        at = places[rows[keep]]
        gathered.add(self._metrics[at], self._ids[at], times[keep], values[keep])
        return [series[row] for row in np.nonzero(places == UNKNOWN)[0].tolist()]

    def _series(self, raw: bytes, found: Written) -> None:
        series = RAW["TimeSeries"].FromString(raw)
        labels = {item.name: item.value for item in series.labels if item.value}
        metric = labels.pop("__name__", "")
        if not metric:
            count = len(series.samples) + len(series.histograms)
            found.refusals.add("name", count, "a series has no __name__")
            return
        id_ = self._enter(Series(metric, labels))
        if not id_:
            count = len(series.samples) + len(series.histograms)
            self._refuse(labels, count, found.refusals)
            return
        if series.samples:
            self._remember(raw, series, id_, found.gathered.number(metric))
            times = [sample.timestamp for sample in series.samples]
            values = [sample.value for sample in series.samples]
            number = found.gathered.number(metric)
            found.gathered.add([number] * len(times), [id_] * len(times), times, values)
        for histogram in series.histograms:
            if reason := found.natives.add(metric, id_, of_prometheus(histogram)):
                found.refusals.add("histogram", 1, reason)

    def _remember(self, raw: bytes, series: Any, id_: int, number: int) -> None:
        """Keep the bytes of the labels, if the labels are all that comes before the samples."""
        head = RAW["TimeSeries"](labels=series.labels).SerializeToString()
        if not raw.startswith(head):
            return
        place = self._known.setdefault(head, len(self._known))
        if place == len(self._ids):
            self._ids = np.concatenate([self._ids, np.zeros_like(self._ids)])
            self._metrics = np.concatenate([self._metrics, np.zeros_like(self._metrics)])
        self._ids[place], self._metrics[place] = id_, number


class _Run:
    """The bytes of many series in a row, stripped of samples from the end of each."""

    def __init__(self, series: list[bytes]) -> None:
        lengths = np.fromiter(map(len, series), np.int64, len(series))
        # Bytes before the first series, so that it can be looked at like any other.
        self._buffer = np.frombuffer(bytes(WITH_VALUE) + b"".join(series), np.uint8)
        self._ends = np.cumsum(lengths) + WITH_VALUE
        self._starts = self._ends - lengths
        self._rows: list[Any] = []
        self._places: list[Any] = []
        self._zeros: list[Any] = []

    def strip(self) -> list[int]:
        """How many bytes of each series are left once its samples are gone."""
        ends = self._ends.copy()
        left = np.arange(len(ends))
        for _ in range(STRIPS_MAX):
            end, start = ends[left], self._starts[left]
            has_time = self._ends_in_time(end)
            valued = has_time & self._is_sample(end, start, WITH_VALUE, VALUED_LENGTH, VALUE_TAG)
            zero = (
                has_time
                & ~valued
                & self._is_sample(end, start, WITHOUT_VALUE, ZERO_LENGTH, TIME_TAG)
            )
            for mask, is_zero in ((valued, False), (zero, True)):
                self._rows.append(left[mask])
                self._places.append(end[mask])
                self._zeros.append(np.full(int(mask.sum()), is_zero))
            ends[left] = end - np.where(valued, WITH_VALUE, np.where(zero, WITHOUT_VALUE, 0))
            left = left[valued | zero]
            if not len(left):
                break
        sizes: list[int] = (ends - self._starts).tolist()
        return sizes

    def _ends_in_time(self, end: Any) -> Any:
        last = self._buffer[end[:, None] - np.arange(7, 0, -1)]
        continued = (last[:, 1:6] >= CONTINUED).all(axis=1)
        return (last[:, 0] == TIME_TAG) & continued & (last[:, 6] < CONTINUED)

    def _is_sample(self, end: Any, start: Any, size: int, length: int, tag: int) -> Any:
        first = end - size
        buffer = self._buffer
        right = (buffer[first] == SAMPLE_TAG) & (buffer[first + 1] == length)
        return right & (buffer[first + 2] == tag) & (first >= start)

    def samples(self) -> tuple[Any, Any, Any]:
        """Of each sample that was stripped: the row of its series, its time and its value."""
        rows = np.concatenate(self._rows)
        ends = np.concatenate(self._places)
        is_zero = np.concatenate(self._zeros)
        parts = (self._buffer[ends[:, None] - np.arange(6, 0, -1)] & 0x7F).astype(np.int64)
        times = (parts << np.arange(0, 42, 7)).sum(axis=1)
        values = np.zeros(len(rows))
        valued = ends[~is_zero]
        raw = np.ascontiguousarray(self._buffer[valued[:, None] - np.arange(15, 7, -1)])
        values[~is_zero] = raw.view("<f8").reshape(len(valued))
        return rows, times, values
