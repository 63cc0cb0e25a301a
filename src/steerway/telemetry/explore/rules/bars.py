"""A histogram of lines as a picture: bars of severities over time. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from steerway.telemetry.logs.rules.search import Histogram

HEIGHT: Final = 60
WIDTH: Final = 1000
GAP: Final = 0.14
# What a line already says elsewhere, or what nobody reads.
TOLD: Final = frozenset(
    {"service", "environment", "version", "instance", "level", "severity", "trace", "trace_id",
     "span_id", "message", "msg"}
)  # fmt: skip
FEW, FEW_LENGTH = 6, 60  # attributes behind a line, and how long each may be
TONES: Final = {
    "fatal": "bad", "error": "bad", "warn": "warn", "info": "info", "debug": "idle",
    "trace": "idle", "": "none",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar."""

    tone: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """The lines of one step, and the range they are in."""

    starts_at: datetime
    ends_at: datetime
    lines: int
    x: float
    width: float
    pieces: tuple[Piece, ...]

    @property
    def query(self) -> str:
        """Its own range, for an address."""
        start, end = (f"{at:%Y-%m-%dT%H:%M:%S}Z" for at in (self.starts_at, self.ends_at))
        return f"from={start}&until={end}"


def few(attributes: Mapping[str, str]) -> list[tuple[str, str]]:
    """The first attributes of a line that are short enough to stand behind it."""
    told = ((n, v) for n, v in attributes.items() if v and n not in TOLD)
    short = ((n, v) for n, v in told if len(n) + len(v) <= FEW_LENGTH)
    return list(islice(short, FEW))


def bars(found: Histogram, *, since: datetime, until: datetime) -> list[Bar]:
    """Where each bar stands; the worst severity at the bottom, where it is seen."""
    most = max((sum(bar.counts.values()) for bar in found.bars), default=0)
    scale = WIDTH / ((until - since) / timedelta(seconds=1))
    shown = []
    for bar in found.bars:
        x = max(0.0, (bar.starts_at - since).total_seconds() * scale)
        wide = found.step.total_seconds() * scale
        top = float(HEIGHT)
        pieces = []
        for level, tone in TONES.items():
            if count := bar.counts.get(level, 0):
                height = max(1.0, count / most * HEIGHT)
                top -= height
                pieces.append(Piece(tone, round(x, 2), round(top, 2), wide * (1 - GAP), height))
        shown.append(
            Bar(
                bar.starts_at,
                bar.starts_at + found.step,
                sum(bar.counts.values()),
                round(x, 2),
                wide,
                tuple(pieces),
            )
        )
    return shown
