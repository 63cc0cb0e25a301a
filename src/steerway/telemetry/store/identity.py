"""The identity of a time series: stable over restarts, machines and versions."""

from collections.abc import Mapping
from hashlib import blake2b


def series_id(metric: str, labels: Mapping[str, str]) -> int:
    """64 bits that name one series.

    `labels` without `__name__`. The order of labels does not matter; a label with an empty value
    is as good as none, as in Prometheus. Each text is preceded by its length, so that no two sets
    of labels run into one.
    """
    parts = [metric]
    for name in sorted(labels):
        if labels[name]:
            parts += (name, labels[name])
    encoded = [part.encode() for part in parts]
    joined = b"".join(len(part).to_bytes(4, "little") + part for part in encoded)
    return int.from_bytes(blake2b(joined, digest_size=8).digest(), "little")
