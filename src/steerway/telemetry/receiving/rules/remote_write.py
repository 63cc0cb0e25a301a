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
FIRST_BYTES, FIRST_OF_VALUED, FIRST_OF_ZERO = 0xFFFFFF, 0x091012, 0x100712
# The last eight bytes of either: one of something else, the tag of the time, the time.
TIME_MASK, TIME_FORM = 0x80808080_8080FF00, 0x00808080_80801000
TIME_BITS: Final = 16  # that come before the time in them
WORD_BYTES, VALUE_BYTES = 8, 15  # from the end of a sample to where its last word, its value begins
# Samples of a series that are looked at together: most bodies have one, the others several.
FIRST_LOOK, LATER_LOOK = 2, 16
LOOKS_MAX: Final = 64  # at one body; a series that has samples left then is decoded as a message
TYPES: Final = (
    *("unknown", "counter", "gauge", "histogram"),
    *("gaugehistogram", "summary", "info", "stateset"),
)


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
        buffer = bytes(WITH_VALUE) + b"".join(series)
        # The eight bytes that begin at each byte, as one number.
        self._words = np.ndarray((len(buffer) - WORD_BYTES + 1,), "<u8", buffer, strides=(1,))
        self._ends = np.cumsum(lengths) + WITH_VALUE
        self._starts = self._ends - lengths
        self._counts = np.zeros(len(series), np.int64)
        # Of each sample that was found, where it ends, twice; and one more when its value is zero.
        self._found: list[Any] = []

    def strip(self) -> list[int]:
        """How many bytes of each series are left once its samples are gone."""
        ends = self._ends.copy()
        left = np.arange(len(ends))
        look = FIRST_LOOK
        for _ in range(LOOKS_MAX):
            left, sizes = self._ending_in_samples(left, ends[left])
            if not len(left):
                break
            samples = ends[left, None] - sizes[:, None] * np.arange(look)
            is_sample = self._are_samples(samples, sizes[:, None], self._starts[left, None])
            run = np.logical_and.accumulate(is_sample, axis=1)
            is_zero = sizes == WITHOUT_VALUE
            self._found.append((samples * 2 + is_zero[:, None])[run])
            counts = run.sum(axis=1)
            self._counts[left] += counts
            ends[left] -= counts * sizes
            look = LATER_LOOK
        found: list[int] = (ends - self._starts).tolist()
        return found

    def _ending_in_samples(self, rows: Any, ends: Any) -> tuple[Any, Any]:
        """Those of the series that have a sample there, and how long it is."""
        starts = self._starts[rows]
        valued = self._are_samples(ends, WITH_VALUE, starts)
        kept = valued | self._are_samples(ends, WITHOUT_VALUE, starts)
        return rows[kept], np.where(valued[kept], WITH_VALUE, WITHOUT_VALUE)

    def _are_samples(self, ends: Any, sizes: Any, starts: Any) -> Any:
        fit = ends - sizes >= starts
        ends = np.where(fit, ends, WITH_VALUE)
        form = np.where(np.equal(sizes, WITH_VALUE), FIRST_OF_VALUED, FIRST_OF_ZERO)
        begin = (self._words[ends - sizes] & np.uint64(FIRST_BYTES)) == form.astype(np.uint64)
        last = self._words[ends - WORD_BYTES]
        return fit & begin & ((last & np.uint64(TIME_MASK)) == np.uint64(TIME_FORM))

    def samples(self) -> tuple[Any, Any, Any]:
        """Of each sample that was stripped: the row of its series, its time and its value.

        In the order in which they were sent.
        """
        found = np.sort(np.concatenate([*self._found, np.zeros(0, np.int64)]))
        rows = np.repeat(np.arange(len(self._counts)), self._counts)
        ends, is_zero = found >> 1, (found & 1).astype(bool)
        values = self._words[ends - VALUE_BYTES].view(np.float64)
        values[is_zero] = 0
        return rows, _times(self._words[ends - WORD_BYTES] >> np.uint64(TIME_BITS)), values


def _times(words: Any) -> Any:
    """Six bytes of seven bits each, the lowest first, as numbers: by pairs, then together."""
    low, high = np.uint64(0x007F_007F_007F), np.uint64(0x7F00_7F00_7F00)
    pairs = (words & low) | ((words & high) >> np.uint64(1))
    mask = np.uint64(0x3FFF)
    found = pairs & mask
    found |= (pairs >> np.uint64(2)) & (mask << np.uint64(14))
    found |= (pairs >> np.uint64(4)) & (mask << np.uint64(28))
    return found.astype(np.int64)
