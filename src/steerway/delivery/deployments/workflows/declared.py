"""Metrics that a descriptor names for its canaries, asked of the telemetry store."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import numpy as np

from steerway.delivery.canaries.descriptor import MetricSection
from steerway.delivery.canaries.rules.judging import Counts
from steerway.delivery.verdicts.rules.signals import part_bad
from steerway.platform.errors import SteerwayError
from steerway.telemetry import store
from steerway.telemetry.metrics import queries as metrics
from steerway.telemetry.metrics.rules import QueryLimits
from steerway.telemetry.vectors.shapes import Vector

LOGGER = logging.getLogger("steerway.deployments")

LIMITS: Final = QueryLimits(seconds=5)  # the judgement of everything else waits for it


class Declared:
    """Asks each metric as often as it says. What cannot be asked is not counted, and holds."""

    def __init__(
        self, place: tuple[str, str], versions: tuple[str, str], sections: Sequence[MetricSection]
    ) -> None:
        """`place` is a service and an environment; `versions` the new one and the stable one."""
        self._place = place
        self._versions = versions
        self._sections = sections
        self._asked: dict[str, datetime] = {}

    def counts(self, now: datetime) -> dict[str, Counts]:
        """What has come in since each was asked before, for those whose turn it is."""
        found = {}
        for one in self._sections:
            last = self._asked.setdefault(one.name, now)
            if now - last < one.every:
                continue
            self._asked[one.name] = now
            try:
                counts = self._ratio(one, now) if one.is_ratio else self._value(one, now)
            except SteerwayError as error:
                LOGGER.warning("metric %s of %s: %s", one.name, self._place[0], error)
                continue
            if counts is not None:
                found[one.name] = counts
        return found

    def _ratio(self, section: MetricSection, now: datetime) -> Counts | None:
        bad = self._by_version(section.bad, section, now)
        total = self._by_version(section.total, section, now)
        if not all(version in total for version in self._versions):
            return None
        trials = [max(0.0, total[version]) for version in self._versions]
        failed = [
            min(max(0.0, bad.get(version, 0.0)), most)
            for version, most in zip(self._versions, trials, strict=True)
        ]
        return Counts(trials[0], trials[1], failed[0], failed[1])

    def _value(self, section: MetricSection, now: datetime) -> Counts | None:
        found = self._by_version(section.value, section, now)
        if not all(version in found for version in self._versions):
            return None
        assert section.fine is not None
        assert section.poor is not None
        values = np.array([found[version] for version in self._versions])
        mine, other = part_bad(values, fine=section.fine, poor=section.poor)
        return Counts(1, 1, float(mine), float(other))

    def _by_version(
        self, query: str | None, section: MetricSection, now: datetime
    ) -> Mapping[str, float]:
        assert query is not None
        service, environment = self._place
        text = query.replace("$service", service).replace("$environment", environment)
        text = text.replace("$every", f"{section.every.total_seconds():g}s")
        value = metrics.instant(store.current(), text, at=now, limits=LIMITS).value
        if not isinstance(value, Vector):
            return {}
        return {
            labels.get("version", ""): float(number)
            for labels, number, is_there in zip(
                value.labels.sets(), value.values[:, 0], value.present[:, 0], strict=True
            )
            if is_there and not np.isnan(number)
        }
