"""Sums that do not lose small numbers beside large ones.

Source: A. Neumaier, Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen, 1974.
"""

import numpy as np
from numpy.typing import NDArray

from steerway.telemetry.vectors.shapes import Bools, Floats

# A plain sum whose terms cancel by more than this has lost digits that matter.
CANCELLED = 1e-3


def add(term: Floats, total: Floats, rest: Floats) -> tuple[Floats, Floats]:
    """The sum with one more term, and what rounding took from it so far."""
    found = total + term
    larger = np.abs(total) >= np.abs(term)
    lost = np.where(larger, (total - found) + term, (term - found) + total)
    return found, np.where(np.isinf(found), 0.0, rest + lost)


def segments(values: Floats, bounds: NDArray[np.int64]) -> Floats:
    """The sums of blocks of rows; block `i` begins at `bounds[i]`."""
    plain: Floats = np.add.reduceat(values, bounds, axis=0)
    if values.size == 0 or not values.min() < 0:
        return plain  # nothing cancels; NaN compares as false and stays what it is
    spread = np.add.reduceat(np.abs(values), bounds, axis=0)
    lossy = (np.abs(plain) < spread * CANCELLED) & np.isfinite(spread)
    columns = lossy.any(axis=0)
    if columns.any():
        plain[:, columns] = _careful(values[:, columns], bounds)
    return plain


def _careful(values: Floats, bounds: NDArray[np.int64]) -> Floats:
    """The same, term by term."""
    ends = np.append(bounds[1:], len(values))
    total = np.zeros((len(bounds), values.shape[1]))
    rest = np.zeros_like(total)
    for offset in range(int((ends - bounds).max())):
        alive = bounds + offset < ends
        total[alive], rest[alive] = add(values[bounds[alive] + offset], total[alive], rest[alive])
    return np.where(np.isfinite(total), total + rest, total)


def means(values: Floats, counts: Floats, held: Bools, bounds: NDArray[np.int64]) -> Floats:
    """The means of blocks of rows, also where their sum is too large for a number."""
    total = segments(np.where(held, values, 0.0), bounds)
    found = total / counts
    ends = np.append(bounds[1:], len(values))
    over = np.isinf(total)
    if over.any():
        shares = values / np.repeat(counts, ends - bounds, axis=0)
        found = np.where(over, segments(np.where(held, shares, 0.0), bounds), found)
    return found
