"""What log records and spans have in common when they become rows."""

from typing import Any, Final

import numpy as np
import pyarrow as pa

from steerway.telemetry.decoding.attributes import Origin, origin_of
from steerway.telemetry.ingest.rules.limits import IngestLimits, Refusals
from steerway.telemetry.ingest.rules.samples import MICROSECONDS
from steerway.telemetry.ingest.rules.tables import WORD

LABELS: Final = ("service", "environment", "version", "instance")
ORIGINS_MAX: Final = 10_000


class Origins:
    """Origins by the bytes of their resource."""

    def __init__(self) -> None:
        self._known: dict[bytes, Origin] = {}

    def of(self, raw: bytes) -> Origin:
        """The origin in a resource."""
        origin = self._known.get(raw)
        if origin is None:
            if len(self._known) >= ORIGINS_MAX:
                self._known.clear()
            origin = self._known[raw] = origin_of(raw)
        return origin


def extra_of(origin: Origin, scope: Any) -> list[tuple[str, str]]:
    """Pairs that every row of a scope gets beside its own attributes."""
    pairs = list(origin.rest.items())
    return [*pairs, ("otel.scope.name", scope.name)] if scope.name else pairs


def origin_columns(origins: list[Origin], counts: list[int]) -> dict[str, pa.Array]:
    """The common labels, each of `origins` repeated."""
    places = pa.array(np.repeat(np.arange(len(origins), dtype=np.int32), counts))
    return {
        name: pa.DictionaryArray.from_arrays(places, pa.array([o.labels[name] for o in origins]))
        .dictionary_decode()
        .dictionary_encode()
        for name in LABELS
    }


def words(values: list[str]) -> pa.Array:
    """Text with few different values."""
    return pa.array(values, pa.string()).dictionary_encode().cast(WORD)


def microseconds(nanoseconds: Any) -> pa.Array:
    """Moments, from nanoseconds since 1970."""
    return pa.array(nanoseconds // 1000, pa.int64()).view(MICROSECONDS)


def in_time(table: pa.Table, now_ms: int, limits: IngestLimits, refusals: Refusals) -> pa.Table:
    """The rows whose clock is right enough."""
    times = table["ts"].cast(pa.int64()).to_numpy() // 1000
    old = times < now_ms - round(limits.past.total_seconds() * 1000)
    new = times > now_ms + round(limits.future.total_seconds() * 1000)
    refusals.add("too-old", int(old.sum()), f"older than {limits.past}")
    refusals.add(
        "too-new", int(new.sum()), f"more than {limits.future} ahead; set the clock of the sender"
    )
    keep = ~(old | new)
    return table if keep.all() else table.filter(pa.array(keep))
