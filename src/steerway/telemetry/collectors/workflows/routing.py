"""The router's counters, every second while there is traffic."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from steerway.telemetry.collectors.errors import LookFailed
from steerway.telemetry.collectors.rules.kinds import Deployed, Healthy
from steerway.telemetry.collectors.rules.routed import namer
from steerway.telemetry.ingest.rules.samples import Values
from steerway.telemetry.scraping.rules.batch import Batch, Identify, Point, Track, batch
from steerway.telemetry.scraping.rules.labels import Malformed
from steerway.telemetry.scraping.rules.page import Layout, Page

# What did not change is said again so often, and so are the replicas: a quiet router costs little.
AGAIN_MS: Final = 5_000
# A version that nobody knew is asked for again.
NAME_AGAIN_MS: Final = 10_000


@dataclass(slots=True)
class RouterSource:
    """The router.

    `text` is its page of counters, `deployed` says what people call a version of it, `healthy`
    how many replicas have traffic.
    """

    identify: Identify
    instance: str
    text: Callable[[], bytes]
    deployed: Callable[[str], Deployed | None]
    healthy: Callable[[], Iterable[Healthy]]
    is_unknown: bool = False
    named_at_ms: int = 0
    page: Page = field(init=False)
    replicas: Track = field(init=False)
    all_at_ms: int = 0
    looked_at_ms: int | None = None
    before: Values = field(default_factory=lambda: np.empty(0))
    groups: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        own = {"job": "router", "instance": self.instance}
        self.page = Page(namer(self.identify, self._known, own))
        self.replicas = Track(self.identify, own)

    def look(self, ts_ms: int) -> tuple[Batch, ...]:
        """What changed since the last look; everything now and then.

        Raises:
            SteerwayError: the router does not answer.
        """
        if self.is_unknown and ts_ms - self.named_at_ms >= NAME_AGAIN_MS:
            self.is_unknown, self.named_at_ms = False, ts_ms
            self.page.rename()
        is_renamed, layout = self.page.is_renamed, self.page.layout
        try:
            found = self.page.read(self.text(), ts_ms)
        except Malformed as error:
            raise LookFailed(what="the router", why=error) from error
        batches = self._told(found, layout, ts_ms, is_renamed=is_renamed)
        self.looked_at_ms = ts_ms
        return batches

    def end(self, ts_ms: int) -> tuple[Batch, ...]:
        """The end of all its series."""
        self.looked_at_ms = None
        return self.page.end(ts_ms), self.replicas.end(ts_ms)

    def _known(self, name: str) -> Deployed | None:
        found = self.deployed(name)
        self.is_unknown |= found is None
        return found

    def _told(
        self, found: Batch, layout: Layout | None, ts_ms: int, *, is_renamed: bool
    ) -> tuple[Batch, ...]:
        now = self.page.layout
        assert now is not None, "a page that was read has a layout"
        whole = ts_ms - self.all_at_ms >= AGAIN_MS
        told = [found]
        if now is not layout:
            self.groups = _groups(now)
            if layout is not None and not is_renamed and self.looked_at_ms is not None:
                told.append(_zeros(now, layout, self.looked_at_ms))
        elif not whole:
            told = [_changed(found, self.before, self.groups)]
        self.before = found.values[: len(now.ids)]
        if whole:
            self.all_at_ms = ts_ms
            told.append(self.replicas.batch(self._replicas(), ts_ms))
        return tuple(told)

    def _replicas(self) -> Iterable[Point]:
        for one in self.healthy():
            labels = {
                "service": one.deployed.service,
                "environment": one.deployed.environment,
                "version": one.deployed.version,
                "deployment": one.deployed.deployment,
            }
            yield Point("router_healthy_replicas", labels, one.healthy)
            yield Point("router_replicas", labels, one.all)


def _groups(layout: Layout) -> npt.NDArray[np.int64]:
    """The version of each sample, as a number: what changes in one is told of it whole."""
    keys = [
        layout.series[id_].labels.get("deployment", "")
        + layout.series[id_].labels.get("version", "")
        for id_ in layout.ids.tolist()
    ]
    return np.unique(np.array(keys, dtype=object).astype(str), return_inverse=True)[1]


def _changed(found: Batch, before: Values, groups: npt.NDArray[np.int64]) -> Batch:
    moved = np.isin(groups, groups[found.values != before])
    return replace(
        found,
        metrics=found.metrics.filter(pa.array(moved)),
        ids=found.ids[moved],
        ts_ms=found.ts_ms[moved],
        values=found.values[moved],
    )


def _zeros(now: Layout, before: Layout, ts_ms: int) -> Batch:
    """Counters that began since the last look were at zero then: their first step is a step.

    Without this, the first failures of a version would be invisible to `rate`.
    """
    fresh = np.setdiff1d(now.ids, before.ids).tolist()
    rows = [(now.series[id_].metric, id_, 0.0) for id_ in fresh]
    return batch(rows, ts_ms, {id_: now.series[id_] for id_ in fresh})
