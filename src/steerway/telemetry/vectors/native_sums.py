"""Sums and means of groups in which there are native histograms."""

import numpy as np

from steerway.telemetry.vectors.aggregations import Grouping, blocks
from steerway.telemetry.vectors.aggregations import simple as numbers
from steerway.telemetry.vectors.shapes import NOTHING, Vector

SUMS = {"sum", "avg"}


def simple(name: str, vector: Vector, grouping: Grouping) -> Vector:
    """As `aggregations.simple`; the sum and the mean of histograms are histograms.

    A group that has numbers and histograms at the same moment has neither.
    """
    if vector.histograms is None or name not in SUMS:
        return numbers(name, vector, grouping)
    block = blocks(vector, grouping, natives=True)
    members = block.vector
    assert members.histograms is not None
    shape = block.counts.shape
    values, held = np.zeros(shape), np.zeros(shape, np.bool_)
    found = np.full(shape, NOTHING, object)
    for group, (low, high) in enumerate(zip(block.bounds, block.ends, strict=True)):
        for column in np.flatnonzero(members.present[low:high].any(axis=0)):
            there = members.present[low:high, column]
            several = list(members.histograms[low:high, column][there])
            is_native = [one is not None for one in several]
            if all(is_native):
                total = several[0]
                for one in several[1:]:
                    total = total.plus(one)
                found[group, column] = total.scaled(1 / len(several)) if name == "avg" else total
                held[group, column] = True
            elif not any(is_native):
                plain = members.values[low:high, column][there]
                values[group, column] = plain.mean() if name == "avg" else plain.sum()
                held[group, column] = True
    return Vector(block.labels, values, held, block.drops, found).where(held)
