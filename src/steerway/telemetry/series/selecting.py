"""Which series a selector selects."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from steerway.telemetry.promql.errors import TooManySamples
from steerway.telemetry.promql.parsing import Matcher
from steerway.telemetry.promql.relabelling import matches
from steerway.telemetry.series.index import Ids, Index
from steerway.telemetry.vectors.labels import NAME, Labels, Symbols, joined

MOST: Final = 0.5
METRICS_MAX: Final = 2_000  # that one selector may name by an expression


@dataclass(frozen=True, slots=True)
class Selection:
    """Selected series, in the order of their labels.

    `known`: how many series their metrics have in all.
    """

    metrics: tuple[str, ...]
    ids: Ids
    labels: Labels
    known: int

    @property
    def is_most(self) -> bool:
        """So many of all that it is cheaper to read all."""
        return len(self.ids) >= self.known * MOST


def select(
    index: Index, matchers: tuple[Matcher, ...], symbols: Symbols | None = None
) -> Selection:
    """The series whose labels meet every condition.

    Raises:
        TooManySamples: an expression names too many metrics.
    """
    names = [one for one in matchers if one.name == NAME]
    rest = [one for one in matchers if one.name != NAME]
    metrics = _metrics(index, names)
    if len(metrics) > METRICS_MAX:
        raise TooManySamples(most=f"those of {METRICS_MAX} metrics")
    parts, ids, used, known = [], [], [], 0
    for metric, family in index.families(metrics).items():
        held = np.ones(len(family.ids), np.bool_)
        for one in rest:
            held &= _met(one, family.labels)
        if held.any():
            used.append(metric)
            ids.append(family.ids[held])
            parts.append(family.labels.take(held))
            known += len(held)
    labels = joined(symbols or index.symbols, parts)
    return Selection(tuple(used), _concatenated(ids), labels, known)


def united(several: list[Selection]) -> Selection:
    """The series of several selections of one query, each once."""
    ids, first = np.unique(_concatenated([one.ids for one in several]), return_index=True)
    labels = joined(several[0].labels.symbols, [one.labels for one in several]).take(first)
    known = {one.metrics: one.known for one in several}
    names = tuple(sorted({name for one in several for name in one.metrics}))
    return Selection(names, ids, labels, sum(known.values()))


def _concatenated(ids: list[Ids]) -> Ids:
    return np.concatenate(ids) if ids else np.zeros(0, np.uint64)


def _metrics(index: Index, conditions: list[Matcher]) -> list[str]:
    """The names that meet the conditions on names."""
    exact = [one.value for one in conditions if one.op == "="]
    names = exact[:1] or index.metrics()
    for one in conditions:
        names = [name for name, met in zip(names, _texts_met(one, names), strict=True) if met]
    return names


def _met(condition: Matcher, labels: Labels) -> NDArray[np.bool_]:
    """Which series meet a condition; each different value is looked at once."""
    distinct, inverse = np.unique(labels.column(condition.name), return_inverse=True)
    texts = labels.symbols.decode(distinct.astype(np.int32))
    return np.array(_texts_met(condition, texts), np.bool_)[inverse.reshape(-1)]


def _texts_met(condition: Matcher, texts: list[str]) -> list[bool]:
    if condition.op == "=":
        return [text == condition.value for text in texts]
    if condition.op == "!=":
        return [text != condition.value for text in texts]
    found = matches(texts, condition.value)
    return found if condition.op == "=~" else [not met for met in found]
