"""What a page says about a chart; the charts themselves are drawn by js/charts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

# What values may be; js/charts/units.js writes each. Any other text stands behind the number.
UNITS: Final = (
    "", "count", "requests/s", "per-second", "percent", "ratio", "seconds", "milliseconds",
    "bytes", "bytes/s", "cores",
)  # fmt: skip
PLOTS: Final = frozenset({"line", "area", "stack", "bar", "evidence"})
EXPLORE: Final = "/explore"


@dataclass(frozen=True, slots=True)
class Query:
    """A question in PromQL; `{{label}}` in the legend becomes the value of that label."""

    text: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A line that matters. `tone` is good, warn or bad: of what lies above it."""

    value: float
    tone: str = "bad"
    words: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: a plot, or a number, a gauge or a table. `tones` colours lines by their name.

    What is not asked in PromQL has a `source`, and says which `measure` of it is drawn.
    """

    title: str
    queries: tuple[Query, ...]
    kind: str = "line"
    unit: str = ""
    note: str = ""
    thresholds: tuple[Threshold, ...] = ()
    reduce: str = "last"
    bottom: float | None = None
    top: float | None = None
    height: int | None = None
    interval: int | None = None  # seconds between samples, where they are not the usual fifteen
    tones: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    measure: str = ""

    @property
    def is_plot(self) -> bool:
        """Whether it is drawn over time."""
        return self.kind in PLOTS

    @property
    def json(self) -> str:
        """What the script needs to know."""
        said: dict[str, Any] = {
            "title": self.title,
            "kind": self.kind,
            "unit": self.unit,
            "queries": [{"text": one.text, "legend": one.legend} for one in self.queries],
            "thresholds": [
                {"value": one.value, "tone": one.tone, "words": one.words}
                for one in self.thresholds
            ],
            "reduce": self.reduce,
            "tones": dict(self.tones),
        }
        bounds = {"bottom": self.bottom, "top": self.top, "height": self.height}
        bounds["interval"] = self.interval
        said |= {"source": self.source, "measure": self.measure} if self.source else {}
        return json.dumps(said | {name: one for name, one in bounds.items() if one is not None})

    @property
    def explore(self) -> str:
        """Where its questions can be changed and asked again."""
        return f"{EXPLORE}?{urlencode([('q', one.text) for one in self.queries])}"


def quoted(text: str) -> str:
    """A text as a string of PromQL, for a matcher that compares."""
    return json.dumps(text, ensure_ascii=False)
