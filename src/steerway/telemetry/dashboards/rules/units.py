"""Units of Grafana by the names they have here. Pure."""

from typing import Final

# Source: Grafana's value formats, packages/grafana-data/src/valueFormats/categories.ts.
UNITS: Final = {
    "": "", "None": "", "none": "", "short": "", "string": "", "locale": "count", "sishort": "",
    "percent": "percent", "percentunit": "ratio",
    "s": "seconds", "dtdurations": "seconds", "clocks": "seconds", "ms": "milliseconds",
    "dtdurationms": "milliseconds",
    "bytes": "bytes", "decbytes": "bytes", "Bps": "bytes/s", "binBps": "bytes/s",
    "reqps": "requests/s", "rps": "requests/s",
    "ops": "per-second", "wps": "per-second", "iops": "per-second", "cps": "per-second",
    "eps": "per-second", "mps": "per-second",
}  # fmt: skip
UNIT_MAX: Final = 20


def unit_of(name: str) -> tuple[str, bool]:
    """The unit, and whether it is one that is written with care here."""
    found = UNITS.get(name)
    return (found, True) if found is not None else (name[:UNIT_MAX], False)
