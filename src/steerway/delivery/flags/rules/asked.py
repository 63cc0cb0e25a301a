"""Evaluations that the server itself made, counted between the web and the worker."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

Key = tuple[str, str]
Counts = dict[tuple[str, str], int]  # by flag and variant


@dataclass(slots=True)
class Asked:
    """Counts by service and environment, from any thread. Flags that are not there count not."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counts: dict[Key, Counts] = field(default_factory=dict)
    _new: dict[Key, set[str]] = field(default_factory=dict)

    def count(self, key: Key, evaluations: Iterable[tuple[str, str]]) -> None:
        """Note that flags had these variants."""
        with self._lock:
            row = self._counts.setdefault(key, {})
            new = self._new.setdefault(key, set())
            for flag, variant in evaluations:
                row[flag, variant] = row.get((flag, variant), 0) + 1
                new.add(flag)

    def drained(self) -> dict[Key, set[str]]:
        """Which flags were asked for since the last time this was asked."""
        with self._lock:
            found, self._new = self._new, {}
        return found

    def totals(self) -> dict[Key, Counts]:
        """All counts since the server began, for `flag_evaluations_total`."""
        with self._lock:
            return {key: dict(row) for key, row in self._counts.items()}
