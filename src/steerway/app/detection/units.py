"""Durations and sizes of other formats in our way."""

import re
from datetime import timedelta
from typing import Final

from steerway.platform.descriptor.section import duration_text, size_text

_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")
_SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_SECONDS_MAX: Final = 366 * 86_400  # what is longer is a mistake
_MEMORY = re.compile(r"(\d{1,15})\s*([kmgt]?)b?", re.IGNORECASE)
_BYTES: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def compose_duration(value: object) -> str:
    """What "1m30s" is in our way, "90s"; empty where it is no duration."""
    text = str(value or "")
    if not text or _PART.sub("", text):
        return ""
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if seconds > _SECONDS_MAX:
        return ""
    return duration_text(timedelta(milliseconds=round(seconds * 1000)))


def compose_memory(value: object) -> str:
    """What Docker means by "256M", "256MiB"; empty where it is no size."""
    match = _MEMORY.fullmatch(str(value if value is not None else ""))
    return size_text(int(match[1]) * _BYTES[match[2].lower()]) if match else ""
