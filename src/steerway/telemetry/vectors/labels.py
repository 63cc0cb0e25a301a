"""Labels of many series: a table whose columns are label names."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Rows = NDArray[np.int64]

NAME = "__name__"
ABSENT = 0  # the code of the empty string: an empty label is no label
OWN_FIRST = 1 << 30  # the first number of a string that only one query knows


class Symbols:
    """Strings and the numbers that stand for them. Equal strings have equal numbers.

    With a `base`, what that holds now keeps its numbers, and what is new stays here: strings
    that a query makes are forgotten with it.
    """

    def __init__(self, base: "Symbols | None" = None) -> None:
        self.texts: list[str] = [""] if base is None else []
        self.codes: dict[str, int] = {"": ABSENT} if base is None else {}
        self._base = base
        self._known = 0 if base is None else len(base.texts)
        self._first = 0 if base is None else OWN_FIRST

    def code(self, text: str) -> int:
        """The number of a string, new if need be."""
        found = self.codes.get(text)
        if found is not None:
            return found
        if self._base is not None:
            known = self._base.codes.get(text)
            if known is not None and known < self._known:
                return known
        found = self.codes[text] = self._first + len(self.texts)
        self.texts.append(text)
        return found

    def encode(self, texts: Iterable[str]) -> Codes:
        """The numbers of many strings."""
        return np.fromiter((self.code(text) for text in texts), np.int32)

    def decode(self, codes: Codes) -> list[str]:
        """The strings of many numbers."""
        own = self.texts
        if self._base is None:
            return [own[code] for code in codes.tolist()]
        base = self._base.texts
        return [
            base[code] if code < OWN_FIRST else own[code - OWN_FIRST] for code in codes.tolist()
        ]

    def holds(self, other: "Symbols") -> bool:
        """Whether numbers of the other mean the same here."""
        return other is self or other is self._base


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of `size` series. A column that a series does not have holds 0 there."""

    symbols: Symbols
    columns: Mapping[str, Codes]
    size: int

    @classmethod
    def of(cls, symbols: Symbols, rows: Sequence[Mapping[str, str]]) -> "Labels":
        """The table of some label sets."""
        names = dict.fromkeys(name for row in rows for name in row)
        columns = {name: symbols.encode(row.get(name, "") for row in rows) for name in names}
        return cls(symbols, columns, len(rows))

    def column(self, name: str) -> Codes:
        """The values of one label."""
        found = self.columns.get(name)
        return np.zeros(self.size, np.int32) if found is None else found

    def take(self, rows: Rows | NDArray[np.bool_]) -> "Labels":
        """Some of the series, in the order of `rows`."""
        size = int(rows.sum()) if rows.dtype == np.bool_ else len(rows)
        return Labels(
            self.symbols, {name: codes[rows] for name, codes in self.columns.items()}, size
        )

    def keep(self, names: Iterable[str]) -> "Labels":
        """Only these labels."""
        kept = {name: self.columns[name] for name in sorted(set(names)) if name in self.columns}
        return Labels(self.symbols, kept, self.size)

    def drop(self, names: Iterable[str]) -> "Labels":
        """All but these labels."""
        gone = set(names)
        kept = {name: codes for name, codes in self.columns.items() if name not in gone}
        return Labels(self.symbols, kept, self.size)

    def replace(self, name: str, codes: Codes) -> "Labels":
        """With other values of one label."""
        return Labels(self.symbols, {**self.columns, name: codes}, self.size)

    def without_names(self, rows: NDArray[np.bool_]) -> "Labels":
        """Without the metric's name where `rows` says so."""
        if NAME not in self.columns or not rows.any():
            return self
        return self.replace(NAME, np.where(rows, ABSENT, self.columns[NAME]).astype(np.int32))

    def groups(self) -> tuple[Rows, Rows]:
        """The number of each series' label set, and the first series that has it.

        Groups are numbered in the order of their first series.
        """
        key = np.zeros(self.size, np.int64)
        for codes in self.columns.values():
            key = _joined(key, codes)
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        return rank[inverse.reshape(-1)], first[order].astype(np.int64)

    def with_symbols(self, symbols: Symbols) -> "Labels":
        """The same labels by the numbers of another set of symbols."""
        if symbols.holds(self.symbols):
            return Labels(symbols, self.columns, self.size)
        return Labels(
            symbols,
            {
                name: _translated(codes, self.symbols, symbols)
                for name, codes in self.columns.items()
            },
            self.size,
        )

    def mapped(self, name: str, change: Callable[[list[str]], list[str]]) -> Codes:
        """The values of a label, each different one changed once."""
        distinct, inverse = np.unique(self.column(name), return_inverse=True)
        changed = self.symbols.encode(change(self.symbols.decode(distinct.astype(np.int32))))
        return changed[inverse.reshape(-1)]

    def sets(self) -> list[dict[str, str]]:
        """The label sets as people write them; the labels of each by name."""
        found: list[dict[str, str]] = [{} for _ in range(self.size)]
        for name in sorted(self.columns):
            for row, text in zip(found, self.symbols.decode(self.columns[name]), strict=True):
                if text:
                    row[name] = text
        return found

    def order(self) -> Rows:
        """The series in the order of their labels."""
        sets = [tuple(row.items()) for row in self.sets()]
        return np.array(sorted(range(self.size), key=sets.__getitem__), np.int64)


def joined(symbols: Symbols, tables: Sequence[Labels]) -> Labels:
    """The series of several tables, one after the other."""
    moved = [table.with_symbols(symbols) for table in tables]
    names = dict.fromkeys(name for table in moved for name in table.columns)
    return Labels(
        symbols,
        {name: np.concatenate([table.column(name) for table in moved]) for name in names},
        sum(table.size for table in moved),
    )


def _joined(key: NDArray[np.int64], codes: Codes) -> NDArray[np.int64]:
    """A key that is equal where both were; kept small, so that it never overflows."""
    if not codes.any():
        return key
    wide = key * (int(codes.max()) + 1) + codes
    return np.asarray(np.unique(wide, return_inverse=True)[1].reshape(-1), np.int64)


def _translated(codes: Codes, old: Symbols, new: Symbols) -> Codes:
    distinct, inverse = np.unique(codes, return_inverse=True)
    return new.encode(old.decode(distinct.astype(np.int32)))[inverse.reshape(-1)]
