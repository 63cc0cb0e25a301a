"""Number points of OTLP, whose times and values numpy takes out of their bytes."""

from typing import Any, Final

import numpy as np

from steerway.telemetry.decoding.columns import Gathered
from steerway.telemetry.decoding.otlp_found import Context

# A data point as every encoder writes it: tag 0x11 start, 0x19 time, 0x21 or 0x31 the value, then
# attributes. The start is left out when it is not known.
START: Final = b"\x11"
WHOLE_HEAD, SHORT_HEAD = 27, 18
TIME_TAG, DOUBLE_TAG, INTEGER_TAG = 0x19, 0x21, 0x31
ATTRIBUTES: Final = 7
CONTINUED: Final = 0x80


class Points:
    """Number points whose series are known, until numpy takes their times and values out."""

    def __init__(self) -> None:
        self._raw: list[bytes] = []
        self._ids: list[Any] = []
        self._contexts: list[tuple[Context, int, int]] = []

    def take(self, context: Context, points: Any, gathered: Gathered) -> None:
        """The points of one metric."""
        raw = list(points)
        get = context.ids.get
        self._raw += raw
        self._ids += [get(p[WHOLE_HEAD:] if p.startswith(START) else p[SHORT_HEAD:]) for p in raw]
        self._contexts.append((context, len(raw), gathered.number(context.name)))

    def gather(self, gathered: Gathered) -> list[tuple[Context, bytes]]:
        """Give the known ones to `gathered`; the others are answered."""
        if not self._raw:
            return []
        lengths = np.fromiter(map(len, self._raw), np.int64, len(self._raw))
        ends = np.cumsum(lengths)
        # Bytes beyond the end, so that a short point can be looked at like a long one.
        buffer = np.frombuffer(b"".join(self._raw) + bytes(WHOLE_HEAD), np.uint8)
        starts = ends - lengths
        is_whole = buffer[starts] == START[0]
        time_at = starts + np.where(is_whole, 10, 1)
        value_at = time_at + 9
        tag = buffer[value_at - 1]
        ids = np.array([id_ or 0 for id_ in self._ids], np.uint64)
        good = (ids != 0) & (buffer[time_at - 1] == TIME_TAG)
        good &= ((tag == DOUBLE_TAG) | (tag == INTEGER_TAG)) & (value_at + 8 <= ends)
        numbers = np.repeat(
            np.array([number for *_, number in self._contexts], np.int32),
            [count for _, count, _ in self._contexts],
        )
        values = _eights(buffer, value_at[good])
        integers = tag[good] == INTEGER_TAG
        gathered.add(
            numbers[good],
            ids[good],
            _eights(buffer, time_at[good]).view(np.uint64) // 1_000_000,
            np.where(integers, values.astype(np.float64), values.view(np.float64)),
        )
        return self._left(good)

    def _left(self, good: Any) -> list[tuple[Context, bytes]]:
        if good.all():
            return []
        contexts = [context for context, count, _ in self._contexts for _ in range(count)]
        return [(contexts[place], self._raw[place]) for place in np.nonzero(~good)[0].tolist()]


def _eights(buffer: Any, places: Any) -> Any:
    """The eight bytes at each place, as integers."""
    rows = buffer[places[:, None] + np.arange(8)]
    return np.ascontiguousarray(rows).view("<i8").reshape(len(places))


def key_of(raw: bytes) -> bytes:
    """A point without its times and its value."""
    return raw[WHOLE_HEAD if raw.startswith(START) else SHORT_HEAD :]


def is_plain(key: bytes, attributes: list[bytes]) -> bool:
    """Whether a key is made of attributes and nothing else."""
    return key == b"".join(_field(ATTRIBUTES, item) for item in attributes)


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field as it is encoded."""
    size, length = len(content), bytearray()
    while size > CONTINUED - 1:
        length.append(size % CONTINUED | CONTINUED)
        size >>= 7
    return bytes([number << 3 | 2]) + bytes(length) + bytes([size]) + content
