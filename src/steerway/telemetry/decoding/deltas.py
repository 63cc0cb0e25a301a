"""Running sums of metrics that are sent as differences."""

from math import isnan
from typing import Final

SERIES_MAX: Final = 100_000


class Deltas:
    """The sum of each such series since this process began.

    After a restart it begins at zero, which readers take for what it is: a counter that was reset.
    """

    def __init__(self) -> None:
        self._sums: dict[int, tuple[int, float]] = {}

    def total(self, id_: int, ts_ms: int, difference: float) -> float | None:
        """The sum up to this moment; None when there are too many series.

        A difference of a moment that is already summed up was sent again, and adds nothing.
        """
        if isnan(difference):
            return difference  # the mark of an end, which is no amount
        if id_ not in self._sums and len(self._sums) >= SERIES_MAX:
            return None
        newest_ms, total = self._sums.get(id_, (0, 0.0))
        if ts_ms > newest_ms:
            total += difference
            self._sums[id_] = (ts_ms, total)
        return total
