"""How values read on a page: durations, sizes, ages, states. Pure."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

MINUTE, HOUR, DAY = 60, 3600, 86400
# Older than this, a date says more than an age.
AGE_DAYS_MAX: Final = 30
JUST_NOW_SECONDS: Final = 5
KILO: Final = 1024
UNITS: Final = ("B", "kB", "MB", "GB", "TB")
SHORT_DIGEST: Final = 12
SHARE_SHOWN_MIN: Final = 0.01
PERCENT: Final = 100
MILLISECONDS_MAX: Final = 1000
HUES: Final = 8

# What a state means to people, in one of six tones. A state that is not listed is unknown:
# it is shown as such and never as good.
BY_TONE: Final[dict[str, str]] = {
    "good": "succeeded healthy serving done implemented ready active good live up verified ok",
    "info": "running starting deploying draining verifying switching judging building open started",
    "warn": "waiting held hold paused frozen stopping degraded backoff unready drifted pending",
    "bad": "failed rolled-back worse unhealthy crashed crash-loop crashing down bad fatal broken "
    "revoked",
    "idle": "not-started cancelled unchanged skipped stopped retired lifted expired none exited",
}
TONES: Final = {state: tone for tone, states in BY_TONE.items() for state in states.split()}
# States whose name says too little.
SAID: Final = {"none": "Not deployed", "blue-green": "Blue\N{NON-BREAKING HYPHEN}green"}
# States in which something is on its way; their mark moves.
MOVING: Final = frozenset(BY_TONE["info"].split()) - {"open", "started"} | {"stopping"}
# What stands where there is no value.
NOTHING: Final = "\N{EN DASH}"


def tone(state: str) -> str:
    """The tone of a state: good, info, warn, bad, idle, or unknown."""
    return TONES.get(state.lower(), "unknown")


def sentence(state: str) -> str:
    """A state as people read it: `crash-loop` is `Crash loop`."""
    text = SAID.get(state, state).replace("-", " ").replace("_", " ").strip()
    return text[:1].upper() + text[1:] if text else "Unknown"


def duration(span: timedelta | float | None) -> str:
    """How long something took or has taken. The same words as `clock` in moments.js."""
    if span is None:
        return NOTHING
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    whole = max(0, int(seconds))
    if 0 <= seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def age(at: datetime, now: datetime) -> str:
    """How long ago `at` was; a date when that is long."""
    seconds = int((now - at).total_seconds())
    if seconds > AGE_DAYS_MAX * DAY or seconds < -JUST_NOW_SECONDS:
        return at.astimezone(UTC).strftime("%-d %b %Y")
    if seconds < JUST_NOW_SECONDS:
        return "just now"
    for limit, unit, size in ((MINUTE, "s", 1), (HOUR, "min", MINUTE), (DAY, "h", HOUR)):
        if seconds < limit:
            return f"{seconds // size} {unit} ago"
    return f"{seconds // DAY} d ago"


def bytes_text(count: float | None) -> str:
    """A size as people read it."""
    if count is None:
        return NOTHING
    size = float(count)
    for unit in UNITS[:-1]:
        if size < KILO:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"  # noqa: PLR2004 -- one digit below ten
        size /= KILO
    return f"{size:.1f} {UNITS[-1]}"


def amount(count: float | None) -> str:
    """A number with its thousands apart."""
    return NOTHING if count is None else f"{count:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def share(ratio: float | None) -> str:
    """A ratio in percent, with the digits that count; what is above zero is never shown as it."""
    if ratio is None:
        return NOTHING
    percent = ratio * 100
    if 0 < percent < SHARE_SHOWN_MIN:
        return f"< {SHARE_SHOWN_MIN} %"
    return f"{percent:.3g} %" if percent < PERCENT else f"{percent:.0f} %"


def milliseconds(count: float | None) -> str:
    """A time in milliseconds, as people read it."""
    if count is None:
        return NOTHING
    if count < MILLISECONDS_MAX:
        return f"{count:.3g} ms" if count < MILLISECONDS_MAX / 10 else f"{count:.0f} ms"
    seconds = count / 1000
    return f"{seconds:.3g} s" if seconds < MINUTE else duration(seconds)


def span_text(length: timedelta | None) -> str:
    """How long a piece of work took, from microseconds up."""
    if length is None:
        return NOTHING
    count = length / timedelta(milliseconds=1)
    return milliseconds(count) if count >= 1 or not count else f"{count * 1000:.0f} µs"


def per_second(count: float, seconds: float) -> str:
    """A rate, with the digits that count."""
    rate = count / seconds if seconds else 0.0
    return f"{rate:.3g}" if rate < PERCENT else f"{rate:.0f}"


def cores(count: float | None) -> str:
    """A share of processors, in thousandths while it is small."""
    if count is None:
        return NOTHING
    return f"{count * 1000:.0f} mcores" if count < 1 else f"{count:.2f} cores"


def short_digest(value: str) -> str:
    """The part of a digest or commit that people compare by eye."""
    return value.rpartition(":")[2][:SHORT_DIGEST]


def initials(name: str) -> str:
    """Two letters for a person."""
    # Somebody on the host itself is `local:root`: root is who they are.
    name = name.rpartition(":")[2]
    parts = [p for p in name.replace("@", " ").replace(".", " ").split() if p]
    return (parts[0][0] + parts[1][0] if len(parts) > 1 else name[:2]).upper() if parts else "?"


def hue(name: str) -> int:
    """The colour of a person: the same one every time."""
    return sum(name.encode()) % HUES


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a diff and what it means."""

    kind: str
    text: str


MARKS: Final = {"+": "add", "-": "del", "~": "mod"}


def diff_lines(lines: Iterable[str]) -> list[DiffLine]:
    """Lines that begin with `+`, `-` or `~`, each with its kind: add, del, mod or same."""
    return [DiffLine(MARKS.get(line[:1], "same"), line) for line in lines]


# Where a line in JSON says when, how bad and what; the rest is told as it is named.
WHEN: Final = ("at", "time", "ts", "timestamp", "@timestamp")
LEVEL: Final = ("level", "severity", "severity_text")
WORDS: Final = ("message", "msg", "body", "event")
CLOCK: Final = re.compile(r"\d\d:\d\d:\d\d")


def line_text(line: str) -> str:
    """A printed line as people read it; one in JSON without its brackets and quotes."""
    try:
        found = json.loads(line) if line.startswith("{") else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return line
    head = [_taken(found, names) for names in (WHEN, LEVEL, WORDS)]
    if at := CLOCK.search(head[0]):
        head[0] = at[0]
    return " ".join([*filter(None, head), *(f"{name}={value}" for name, value in found.items())])


def _taken(found: dict[str, object], names: Sequence[str]) -> str:
    """The first of these that is there; it is told once."""
    name = next((name for name in names if name in found), "")
    return str(found.pop(name)) if name else ""
