"""Names of OTLP metrics and attributes, as Prometheus writes them.

Source: the OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility", and
prometheus/otlptranslator (metric_namer.go, label_namer.go, unit_namer.go), with unit suffixes.
"""

import re
from functools import lru_cache
from typing import Final

import numpy as np

UNITS: Final = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tibibytes",
    "KBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "1": "",
    "%": "percent",
}
PER: Final = {
    "s": "second",
    "m": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}
APART: Final = re.compile(r"[^a-zA-Z0-9:]+")
NO_UNIT: Final = re.compile(r"[^a-zA-Z0-9]+")
NO_LABEL: Final = re.compile(r"[^a-zA-Z0-9_]")


@lru_cache(4096)
def metric_name(name: str, unit: str, *, is_counter: bool, is_gauge: bool) -> str:
    """`http.server.duration` in `ms` is `http_server_duration_milliseconds`."""
    parts = [part for part in APART.split(name) if part]
    main, _, per = unit.partition("/")
    main, per = _unit(main, UNITS), _unit(per, PER)
    if main and main not in parts:
        parts.append(main)
    if per and per not in parts:
        parts += ["per", per]
    if is_counter:
        parts = [part for part in parts if part != "total"] + ["total"]
    if is_gauge and unit == "1":
        parts = [part for part in parts if part != "ratio"] + ["ratio"]
    joined = "_".join(parts)
    return f"_{joined}" if joined[:1].isdigit() else joined


@lru_cache(4096)
def label_name(name: str) -> str:
    """`http.request.method` is `http_request_method`."""
    clean = NO_LABEL.sub("_", name)
    if clean[:1].isdigit():
        return f"key_{clean}"
    if clean.startswith("_") and not clean.startswith("__"):
        return f"key{clean}"
    return clean


def bound_text(bound: float) -> str:
    """A bucket's upper bound as the value of `le`."""
    if np.isinf(bound):
        return "+Inf" if bound > 0 else "-Inf"
    return np.format_float_positional(bound, trim="-")


def _unit(text: str, known: dict[str, str]) -> str:
    text = text.strip()
    if not text or "{" in text or "}" in text:
        return ""
    return NO_UNIT.sub("_", known.get(text, text)).strip("_")
