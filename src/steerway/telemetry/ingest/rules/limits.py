"""How much ingest takes, and how far a clock may be off."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

EVENTS: Final[Mapping[str, str]] = {
    "telemetry.series-refused": "A service sent more series than it may; at most once an hour.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestLimits:
    """The most that ingest takes.

    A sample is taken from `past` before now to `future` after it: a collector that was cut off
    for a day may catch up, and a clock that runs ahead by more than minutes is wrong.
    """

    queue_bytes: int = 128 * 1024 * 1024
    body_bytes: int = 8 * 1024 * 1024  # as it arrives
    unpacked_bytes: int = 32 * 1024 * 1024
    held_bytes: int = 64 * 1024 * 1024  # of all bodies that are being received and decoded
    series_max: int = 20_000  # of one service, unless its descriptor says otherwise
    series_total_max: int = 1_000_000  # of all services together: each costs some 400 bytes here
    past: timedelta = timedelta(hours=24)
    future: timedelta = timedelta(minutes=10)
    batch_rows: int = 400_000  # stored at once when so many wait
    linger: timedelta = timedelta(seconds=1)  # the longest wait of what nobody waits for
    # Where much comes, a batch of this many rows waits longer: fewer, larger parts cost less.
    busy_rows: int = 20_000
    busy_linger: timedelta = timedelta(seconds=2)


DEFAULT: Final = IngestLimits()


@dataclass(slots=True)
class Refusals:
    """Rows that were not taken: how many for each reason, and a sentence for each."""

    counts: Counter[str] = field(default_factory=Counter)
    sentences: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, rows: int, sentence: str) -> None:
        """Count `rows` more under a reason; its first sentence stays."""
        if rows:
            self.counts[reason] += rows
            self.sentences.setdefault(reason, sentence)

    def merge(self, other: "Refusals") -> None:
        """Add what somebody else counted."""
        for reason, rows in other.counts.items():
            self.add(reason, rows, other.sentences[reason])

    @property
    def rows(self) -> int:
        """Rows that were not taken, for whatever reason."""
        return self.counts.total()

    def text(self) -> str:
        """All sentences in one line, each with its number of rows."""
        return " ".join(
            f"{self.counts[reason]}: {self.sentences[reason]}" for reason in self.counts
        )
