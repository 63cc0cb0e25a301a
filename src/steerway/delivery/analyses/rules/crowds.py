"""Addresses that say nothing about who called."""

from collections.abc import Mapping
from typing import Final

SEEN_MIN: Final = 100  # requests; below it nobody's part is known
PART: Final = 0.5  # of all requests: nobody asks that much; it is a proxy, or the only caller


def crowds(requests: Mapping[str, int]) -> tuple[str, ...]:
    """Addresses behind which most of the traffic comes; each failure from there counts in full.

    One client that fails again and again is one fact. An address that makes half of all requests
    is no such client: it stands for many, or for everybody there is, and its failures are the
    service's. What clusters in them shows in how the replicas vary.
    """
    total = sum(requests.values())
    if total < SEEN_MIN:
        return ()
    return tuple(sorted(name for name, count in requests.items() if count >= PART * total))
