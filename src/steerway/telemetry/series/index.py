"""The labels of all series that were asked for, kept in memory while they are right."""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from steerway.telemetry.store import Store
from steerway.telemetry.vectors.labels import NAME, Codes, Labels, Symbols, joined

Ids = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its parameters."""

    sql: str
    params: Mapping[str, object]


Ask = Callable[[Statement], pa.Table]

SERIES_KEPT_MAX: Final = 300_000
# What parts a table has: it changes with every write and merge, and is cheap to ask.
STATE: Final = """
SELECT table, groupBitXor(cityHash64(hostName(), name)) AS state FROM {parts}
WHERE database = currentDatabase() AND active AND table IN {{tables:Array(String)}}
GROUP BY table
"""
METRICS: Final = "SELECT DISTINCT toString(metric) AS metric FROM series ORDER BY metric"
NATIVES: Final = "SELECT DISTINCT toString(metric) AS metric FROM histograms"
IDS: Final = "SELECT DISTINCT id FROM series WHERE metric = {metric:String}"
LABELS: Final = """
SELECT id, any(labels) AS labels FROM series
WHERE metric = {metric:String} AND id NOT IN {known:Array(UInt64)} GROUP BY id
"""


@dataclass(frozen=True, slots=True)
class Family:
    """The series of one metric, in the order of their labels; `ids` as numbers in the store."""

    ids: Ids
    labels: Labels


@dataclass(slots=True)
class _Kept:
    state: dict[str, int] = field(default_factory=dict)
    metrics: list[str] | None = None
    natives: frozenset[str] | None = None
    checked: dict[str, int] = field(default_factory=dict)


class Index:
    """The series of a store, family by family; used by many threads."""

    def __init__(self, store: Store) -> None:
        self.symbols = Symbols()
        self._store = store
        self._lock = threading.RLock()
        self._kept = _Kept()
        self._families: OrderedDict[str, Family] = OrderedDict()

    def refresh(self, ask: Ask) -> None:
        """See what the store has now; until the next time, that is what is known."""
        layout = self._store.layout
        names = {layout.stored(table): table for table in ("series", "histograms")}
        sql = STATE.format(parts=layout.system("parts"))
        rows = ask(Statement(sql, {"tables": list(names)})).to_pylist()
        with self._lock:
            self._see({names[row["table"]]: row["state"] for row in rows})

    def families(self, metrics: Iterable[str]) -> dict[str, Family]:
        """The families of some metrics, as they were at the last `refresh`."""
        with self._lock:
            state = self._kept.state.get("series", 0)
            found = {metric: self._family(metric, state) for metric in metrics}
            self._forget(keep=set(found))
            return found

    def metrics(self) -> list[str]:
        """The names of all metrics, in order."""
        with self._lock:
            if self._kept.metrics is None:
                self._kept.metrics = self._store.table(METRICS)["metric"].to_pylist()
            return self._kept.metrics

    def natives(self) -> frozenset[str]:
        """The names of metrics of which there are native histograms."""
        with self._lock:
            if self._kept.natives is None:
                self._kept.natives = frozenset(self._store.table(NATIVES)["metric"].to_pylist())
            return self._kept.natives

    def _see(self, state: dict[str, int]) -> None:
        """What was kept of an older state is given up."""
        if state.get("series") != self._kept.state.get("series"):
            self._kept.metrics = None
        if state.get("histograms") != self._kept.state.get("histograms"):
            self._kept.natives = None
        self._kept.state = state

    def _family(self, metric: str, state: int) -> Family:
        kept = self._families.get(metric)
        if kept is not None and self._kept.checked.get(metric) == state:
            self._families.move_to_end(metric)
            return kept
        if kept is not None:
            ids = self._store.table(IDS, {"metric": metric})["id"].to_numpy()
            kept = _only(kept, ids)
            if len(kept.ids) < len(ids):
                kept = None if len(kept.ids) * 2 < len(ids) else self._grown(metric, kept)
        if kept is None:
            kept = self._grown(metric, None)
        self._families[metric] = kept
        self._kept.checked[metric] = state
        return kept

    def _grown(self, metric: str, kept: Family | None) -> Family:
        known = [] if kept is None else kept.ids.tolist()
        table = self._store.table(LABELS, {"metric": metric, "known": known})
        new = Family(table["id"].to_numpy(), decoded(table["labels"], self.symbols))
        if kept is not None:
            both = joined(self.symbols, [kept.labels.drop([NAME]), new.labels])
            new = Family(np.concatenate([kept.ids, new.ids]), both)
        size = new.labels.size
        name = np.full(size, self.symbols.code(metric), np.int32)
        labels = new.labels.replace(NAME, name)
        order = labels.order()
        return Family(new.ids[order], labels.take(order))

    def _forget(self, keep: set[str]) -> None:
        """Let go of the families that were asked for longest ago."""
        total = sum(len(one.ids) for one in self._families.values())
        for metric in list(self._families):
            if total <= SERIES_KEPT_MAX:
                return
            if metric not in keep:
                total -= len(self._families.pop(metric).ids)
        if len(self._families) == len(keep) and len(self.symbols.texts) > SERIES_KEPT_MAX * 10:
            self._families.clear()
            self.symbols = Symbols()


def _only(family: Family, ids: Ids) -> Family:
    """Without the series that the store has forgotten."""
    held = np.isin(family.ids, ids)
    return family if held.all() else Family(family.ids[held], family.labels.take(held))


def decoded(column: pa.ChunkedArray, symbols: Symbols) -> Labels:
    """Maps of labels as a table of labels."""
    maps = column.combine_chunks()
    if isinstance(maps, pa.ChunkedArray):
        maps = maps.chunk(0) if maps.num_chunks else pa.array([], column.type)
    offsets = maps.offsets.to_numpy()
    rows = np.repeat(np.arange(len(maps)), np.diff(offsets))
    window = slice(int(offsets[0]), int(offsets[-1])) if len(maps) else slice(0, 0)
    keys, names = _encoded(maps.keys[window])
    values, texts = _encoded(maps.items[window])
    codes = symbols.encode(texts)[values] if len(texts) else np.zeros(0, np.int32)
    columns: dict[str, Codes] = {}
    for number, name in enumerate(names):
        at = keys == number
        columns[name] = np.zeros(len(maps), np.int32)
        columns[name][rows[at]] = codes[at]
    return Labels(symbols, columns, len(maps))


def _encoded(texts: pa.Array) -> tuple[NDArray[np.int64], list[str]]:
    found = pc.dictionary_encode(pc.cast(texts, pa.string()))
    numbers = found.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    names: list[str] = found.dictionary.to_pylist()
    return numbers, names


_KNOWN: Final[weakref.WeakKeyDictionary[Store, Index]] = weakref.WeakKeyDictionary()
_KNOWN_LOCK: Final = threading.Lock()


def index_of(store: Store) -> Index:
    """The one index of a store."""
    with _KNOWN_LOCK:
        if store not in _KNOWN:
            _KNOWN[store] = Index(store)
        return _KNOWN[store]
