"""How many requests ended how since the last judgement, from counters that begin at zero again.

A counter belongs to one process of one replica, which leaves it in a file of its own. A file that
is gone for a while keeps its place here, so that nothing is counted twice when it is back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

REPLICAS_MAX: Final = 400  # remembered of one exposure: twice what is read at once
ERROR: Final = "error"
NUMBERS: Final = 4
COUNT_MAX: Final = 2**53  # what a program may say; a double still has it exactly

Outcomes = Mapping[str, Mapping[str, Mapping[str, Mapping[str, int]]]]
Counters = Mapping[str, tuple[int, ...]]  # by replica: the four numbers of `Counted`


@dataclass(frozen=True, slots=True)
class Counted:
    """Requests of the variant and of the rest, and those of them that failed."""

    requests: int = 0
    failed: int = 0
    requests_rest: int = 0
    failed_rest: int = 0

    @property
    def total(self) -> int:
        """Requests of both."""
        return self.requests + self.requests_rest

    def __add__(self, more: "Counted") -> "Counted":
        """Both together."""
        return Counted(
            self.requests + more.requests,
            self.failed + more.failed,
            self.requests_rest + more.requests_rest,
            self.failed_rest + more.failed_rest,
        )


def counters(found: Outcomes, flag: str, variant: str, rest: str) -> Counters:
    """What the replicas say of one flag. Numbers that cannot be counts are passed over."""
    return {
        replica: (*_of(rows.get(variant, {})), *_of(rows.get(rest, {})))
        for replica, flags in found.items()
        if (rows := flags.get(flag))
    }


def _of(row: Mapping[str, int]) -> tuple[int, int]:
    valid = {outcome: count for outcome, count in row.items() if 0 <= count <= COUNT_MAX}
    return sum(valid.values()), valid.get(ERROR, 0)


def since(before: Counters, now: Counters) -> Counted:
    """What was added; a counter that is lower than it was has begun again at zero."""
    totals = [0] * NUMBERS
    for replica, values in now.items():
        old = before.get(replica, (0,) * NUMBERS)
        is_new = any(value < was for value, was in zip(values, old, strict=True))
        for at, value in enumerate(values):
            totals[at] += value if is_new else value - old[at]
    return Counted(*totals)


def remembered(before: Counters, now: Counters) -> dict[str, tuple[int, ...]]:
    """Where counting goes on from: all that is there, and of what is gone as much as fits."""
    gone = {replica: values for replica, values in before.items() if replica not in now}
    room = max(REPLICAS_MAX - len(now), 0)
    kept = list(gone.items())[-room:] if room else []
    return dict(kept) | dict(now)
