"""Attributes and resources of OTLP, as labels and as maps."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError

from steerway.telemetry.decoding.errors import BodyInvalid
from steerway.telemetry.decoding.names import label_name
from steerway.telemetry.decoding.protobuf import COMMON, messages

KNOWN: Final = messages(COMMON)
PAIRS_MAX: Final = 50_000  # attributes remembered by their bytes
PAIR_BYTES_MAX: Final = 256  # longer ones hardly come twice
DEPTH_MAX: Final = 32
VALUE_MAX: Final = 64 * 1024  # characters of one value that are kept

# The first that is there gives the label.
COMMON_LABELS: Final = {
    "service": ("service.name",),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "version": ("service.version",),
    "instance": ("service.instance.id",),
}
# A service in an environment, whose rows these are whatever their resource says.
Place = tuple[str, str]
TAKEN: Final = {name for names in COMMON_LABELS.values() for name in names}


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent something: the common labels, and what else the resource says."""

    labels: dict[str, str]
    rest: dict[str, str]


def text_of(value: Any) -> str:
    """An attribute's value as text; arrays and maps as JSON."""
    plain = _plain(value, 0)
    if isinstance(plain, str):
        return plain[:VALUE_MAX]
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))[:VALUE_MAX]


def _plain(value: Any, depth: int) -> Any:
    given = value.ListFields()
    if not given or depth > DEPTH_MAX:
        return "…" if given else ""
    field, content = given[0]
    match field.name:
        case "array_value":
            return [_plain(item, depth + 1) for item in content.values]
        case "kvlist_value":
            return {item.key: _plain(item.value, depth + 1) for item in content.values}
        case "bytes_value":
            return base64.b64encode(content).decode()
        case "double_value":
            return content if np.isfinite(content) else str(content)
        case _:
            return content


def origin_of(raw: bytes) -> Origin:
    """The origin in the bytes of a resource."""
    try:
        found = {
            item.key: text_of(item.value) for item in KNOWN["Resource"].FromString(raw).attributes
        }
    except DecodeError as error:
        raise BodyInvalid(what="OTLP", reason="a resource cannot be decoded") from error
    labels = {
        label: next((found[name] for name in names if found.get(name)), "")
        for label, names in COMMON_LABELS.items()
    }
    rest = {
        key: value
        for key, value in found.items()
        if key not in TAKEN and not key.startswith("telemetry.sdk.")
    }
    return Origin(labels, rest)


def placed(raw: bytes, place: Place | None) -> bytes:
    """The bytes of a resource that is of this place, whatever it says itself.

    The last value of a name is the one that counts, so the place is put behind.

    Raises:
        BodyInvalid: it is none, so what is put behind it could be taken for a part of it.
    """
    if place is None:
        return raw
    try:
        KNOWN["Resource"].FromString(raw)
    except DecodeError as error:
        raise BodyInvalid(what="OTLP", reason="a resource cannot be decoded") from error
    behind = KNOWN["Resource"]()
    names = (COMMON_LABELS["service"][0], COMMON_LABELS["environment"][0])
    for name, value in zip(names, place, strict=True):
        behind.attributes.add(key=name).value.string_value = value
    suffix: bytes = behind.SerializeToString()
    return raw + suffix


def labels_of(raw: Iterable[bytes], origin: Origin) -> dict[str, str]:
    """The labels of a series: its attributes, and the common labels of its origin.

    An attribute called like a common label is kept as `exported_…`, as in a scrape.
    """
    labels = {name: value for name, value in origin.labels.items() if value}
    if labels.get("service"):
        labels["job"] = labels["service"]
    for item in raw:
        key, value = pair_of(item)
        name = label_name(key)
        if name in COMMON_LABELS or name == "job":
            name = f"exported_{name}"
        if value:
            labels[name] = f"{labels[name]};{value}" if name in labels else value
    return labels


def pair_of(raw: bytes) -> tuple[str, str]:
    """The key of an attribute, and its value as text."""
    try:
        item = KNOWN["KeyValue"].FromString(raw)
    except DecodeError as error:
        raise BodyInvalid(what="OTLP", reason="an attribute cannot be decoded") from error
    return item.key, text_of(item.value)


class Maps:
    """Turns the attributes of many rows into one column of maps."""

    def __init__(self) -> None:
        self._pairs: dict[bytes, tuple[str, str]] = {}

    def column(
        self, rows: list[list[bytes]], extra: list[list[tuple[str, str]]] | None = None
    ) -> pa.Array:
        """One map a row: its attributes, and the `extra` pairs its attributes do not have."""
        pairs = [self._row(row) for row in rows]
        if extra is not None:
            pairs = [
                pair + [e for e in more if e not in pair]
                for pair, more in zip(pairs, extra, strict=True)
            ]
        lengths = np.fromiter(map(len, pairs), np.int64, len(pairs))
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        flat = [pair for row in pairs for pair in row]
        return pa.MapArray.from_arrays(
            pa.array(offsets),
            pa.array([key for key, _ in flat], pa.string()),
            pa.array([value for _, value in flat], pa.string()),
        )

    def _row(self, row: list[bytes]) -> list[tuple[str, str]]:
        get = self._pairs.get
        return [get(raw) or self._learn(raw) for raw in row]

    def _learn(self, raw: bytes) -> tuple[str, str]:
        pair = pair_of(raw)
        if len(raw) <= PAIR_BYTES_MAX:
            if len(self._pairs) >= PAIRS_MAX:
                self._pairs.clear()
            self._pairs[raw] = pair
        return pair
