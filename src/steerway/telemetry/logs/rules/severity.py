"""How serious a line is: numbers of OpenTelemetry, and the words that programs use."""

from typing import Final

UNKNOWN: Final = 0
# Source: OpenTelemetry logs data model, "Severity fields": the first number of each range.
NUMBERS: Final = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}
_OTHER_WORDS: Final = {
    "verbose": 1, "finest": 1, "finer": 1, "fine": 5, "dbg": 5, "config": 9, "inf": 9,
    "information": 9, "informational": 9, "notice": 10, "log": 9, "warning": 13, "wrn": 13,
    "err": 17, "eror": 17, "severe": 17, "exception": 17, "crit": 21, "critical": 21,
    "alert": 22, "emerg": 23, "emergency": 23, "panic": 23, "ftl": 21, "dpanic": 21,
}  # fmt: skip
WORDS: Final = {**NUMBERS, **_OTHER_WORDS}
# Numbers of pino and bunyan: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal.
_PINO: Final = {10: 1, 20: 5, 30: 9, 40: 13, 50: 17, 60: 21}
NAMES: Final = ("trace", "debug", "info", "warn", "error", "fatal")


def number(value: object) -> int:
    """The number of a level as a program writes it; 0 when it is none that we know."""
    if isinstance(value, str):
        return WORDS.get(value.strip().lower(), UNKNOWN)
    return _PINO.get(value, UNKNOWN) if type(value) is int else UNKNOWN


def name(severity: int) -> str:
    """The word for a number: `warn` for 13 to 16, nothing for what is unknown."""
    return NAMES[(severity - 1) // 4] if 1 <= severity <= 24 else ""  # noqa: PLR2004 -- its range
