"""Buckets of fractional rollouts: the same user gets the same variant, everywhere.

Source: flagd's fractional operation since its version 3: the bucketing value in CBOR with the
shortest forms and keys in order (RFC 7049, 3.9), its MurmurHash3 (x86, 32 bit, seed 0), and
`hash * total weight / 2^32` as the place among the weights.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mmh3 import mmh3_32_uintdigest

HASHES: Final = 2**32
WEIGHTS_MAX: Final = 2**31 - 1  # the sum of all weights of one operation
_SIMPLE: Final[Mapping[bool | None, bytes]] = {None: b"\xf6", False: b"\xf4", True: b"\xf5"}
_UNSIGNED, _NEGATIVE, _TEXT, _ARRAY, _MAP = 0, 1, 3, 4, 5
_DIRECT: Final = 24  # a size below it is written in the first byte
_HEADS: Final = ((1 << 8, 24, ">B"), (1 << 16, 25, ">H"), (1 << 32, 26, ">I"), (1 << 64, 27, ">Q"))
_SHORT_HEADS: Final = tuple(bytes([_TEXT << 5 | size]) for size in range(_DIRECT))


def encoded(value: Any) -> bytes:
    """The one way to write a JSON value in CBOR.

    Raises:
        ValueError: it is no JSON value, or a number too large for it.
    """
    if isinstance(value, str):
        return _sized(_TEXT, value.encode("utf-8", "surrogatepass"))
    if value is None or isinstance(value, bool):
        return _SIMPLE[value]
    if isinstance(value, int):
        return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Mapping):
        return _map(value)
    if isinstance(value, Sequence):
        return _head(_ARRAY, len(value)) + b"".join(encoded(one) for one in value)
    raise ValueError(f"{type(value).__name__} is no JSON value")


def _map(value: Mapping[str, Any]) -> bytes:
    entries = sorted(((encoded(str(k)), encoded(v)) for k, v in value.items()), key=_by_length)
    return _head(_MAP, len(entries)) + b"".join(key + one for key, one in entries)


def _by_length(entry: tuple[bytes, bytes]) -> tuple[int, bytes]:
    return len(entry[0]), entry[0]


def _head(kind: int, size: int) -> bytes:
    if size < _DIRECT:
        return bytes([kind << 5 | size])
    for limit, mark, layout in _HEADS:
        if size < limit:
            return bytes([kind << 5 | mark]) + struct.pack(layout, size)
    raise ValueError("a number of more than 64 bits")


def _sized(kind: int, content: bytes) -> bytes:
    return _head(kind, len(content)) + content


def _float(value: float) -> bytes:
    """The shortest form that loses nothing; whole numbers of 64 bits are integers."""
    if value.is_integer() and -(2**63) <= value <= 2**64 - 1:
        return encoded(int(value))
    for mark, layout in ((b"\xf9", ">e"), (b"\xfa", ">f")):
        try:
            packed = struct.pack(layout, value)
        except (OverflowError, struct.error):
            continue
        if struct.unpack(layout, packed)[0] == value or value != value:  # noqa: PLR0124 -- NaN
            return mark + packed
    return b"\xfb" + struct.pack(">d", value)


def bucket(value: Any) -> int:
    """The place of a bucketing value, from 0 up to 2^32 exclusive.

    Raises:
        ValueError: it cannot be encoded.
    """
    return mmh3_32_uintdigest(encoded(value))


def limits(weights: Sequence[int]) -> list[int]:
    """Where each share ends, in places: `place < limits[i]` is share i or one before it.

    `hash * total >> 32 < end` is the same as `hash < ceil(end * 2^32 / total)`, which can be
    worked out beforehand.
    """
    total, end = sum(weights), 0
    found = []
    for weight in weights:
        end += weight
        found.append(-(-end * HASHES // total))
    return found


def by_user(flag: str) -> Callable[[Mapping[str, Any]], int | None]:
    """The place of a context's user for one flag: of `[flag, targetingKey]`, as flagd's shorthand.

    None when the context names no user.
    """
    prefix = _head(_ARRAY, 2) + encoded(flag)
    heads = tuple(prefix + head for head in _SHORT_HEADS)

    def place(context: Mapping[str, Any]) -> int | None:
        user = context.get("targetingKey")
        if not isinstance(user, str) or not user:
            return None
        try:
            said = user.encode()
        except UnicodeEncodeError:
            return None
        size = len(said)
        if size < _DIRECT:
            return mmh3_32_uintdigest(heads[size] + said)
        return mmh3_32_uintdigest(prefix + _head(_TEXT, size) + said)

    return place
