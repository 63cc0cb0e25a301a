"""Prometheus' HTTP API: a request as its parts, an answer as its parts; no framework.

Source: Prometheus, HTTP API, https://prometheus.io/docs/prometheus/latest/querying/api/.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from promql_parser import parse_duration

from steerway import __version__
from steerway.platform.errors import Invalid, SteerwayError, Unavailable
from steerway.telemetry.metrics import queries, rules, wire
from steerway.telemetry.metrics.errors import QueryTimeout, RangeInvalid
from steerway.telemetry.metrics.queries import Budget
from steerway.telemetry.metrics.rules import QueryLimits
from steerway.telemetry.promql import parsing
from steerway.telemetry.series.listing import Span
from steerway.telemetry.store import Cancel, Cancelled, QueryTooLarge, Store

PREFIX: Final = "/api/v1/"
FEDERATE: Final = "/federate"
JSON: Final = "application/json"
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
VALUES: Final = re.compile(r"label/([^/]+)/values")
DURATION: Final = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
# Prometheus' "any time": 1 January of the year 1, and far in the future.
EARLIEST_MS: Final = -62_135_596_800_000
LATEST_MS: Final = 9_000_000_000_000
SERIES_MAX: Final = 100_000  # listed at once
STATUS: Final = {"bad_data": 400, "execution": 422, "canceled": 499, "timeout": 503}
NOTHING: Final[dict[str, Any]] = {
    "rules": {"groups": []},
    "alerts": {"alerts": []},
    "alertmanagers": {"activeAlertmanagers": [], "droppedAlertmanagers": []},
    "targets": {"activeTargets": [], "droppedTargets": []},
    "status/flags": {},
    "status/config": {"yaml": ""},
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: parameters of the address and of a form together, each with all its values."""

    path: str
    params: Mapping[str, Sequence[str]]
    now: datetime
    limits: QueryLimits
    cancel: Cancel

    def text(self, name: str, default: str = "") -> str:
        """The first value of a parameter."""
        found = self.params.get(name)
        return found[0] if found else default

    def many(self, name: str) -> Sequence[str]:
        """All values of a parameter."""
        return self.params.get(name, ())

    def moment(self, name: str, default: int) -> int:
        """A moment in milliseconds: seconds since 1970, or RFC 3339."""
        text = self.text(name)
        return default if not text else _moment(name, text)

    def whole(self, name: str) -> int:
        """A number that says how many; 0 when there is none."""
        text = self.text(name, "0")
        if not text.isdecimal():
            raise RangeInvalid(why=f'invalid parameter "{name}": limit must be non-negative')
        return int(text)

    @property
    def budget(self) -> Budget:
        """What the question may take: `timeout` makes it shorter, never longer."""
        wanted = self.text("timeout")
        limits = self.limits
        if wanted:
            seconds = min(limits.seconds, _step("timeout", wanted) / 1000)
            limits = QueryLimits(seconds, limits.memory_bytes, limits.cells, limits.points)
        return Budget(limits, self.cancel)

    @property
    def span(self) -> Span:
        """The time in which a series must have had samples."""
        return Span(self.moment("start", EARLIEST_MS), self.moment("end", LATEST_MS))


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    status: int
    body: bytes
    content_type: str = JSON


def answer(store: Callable[[], Store], asked: Asked) -> Reply:
    """The answer to a request; what goes wrong is one too, as Prometheus words it."""
    try:
        if asked.path == FEDERATE:
            return Reply(200, _federate(store(), asked).encode(), TEXT)
        return _routed(store, asked)
    except SteerwayError as error:
        kind = error_kind(error)
        return Reply(STATUS.get(kind, 503), wire.failure(kind, str(error)))


def error_kind(error: SteerwayError) -> str:
    """Prometheus' word for what went wrong."""
    if isinstance(error, Cancelled):
        return "canceled"
    if isinstance(error, QueryTimeout):
        return "timeout"
    if isinstance(error, QueryTooLarge):
        return "timeout" if "time" in str(error.fields.get("limit", "")) else "execution"
    if isinstance(error, Invalid):
        return "bad_data"
    return "unavailable" if isinstance(error, Unavailable) else "execution"


def _routed(store: Callable[[], Store], asked: Asked) -> Reply:
    name = asked.path.removeprefix(PREFIX)
    values = VALUES.fullmatch(name)
    if values:
        found: Any = _values(store(), asked, values.group(1))
    elif name in TEXTS:
        return Reply(200, wire.success(TEXTS[name](store(), asked)))
    elif name in LISTS:
        found = LISTS[name](store(), asked)
    elif name in NOTHING:
        found = NOTHING[name]
    elif name == "status/buildinfo":
        found = _build()
    elif name == "format_query":
        found = parsing.parse(asked.text("query")).prettify()
    else:
        return Reply(404, wire.failure("not_found", "There is nothing at this address."))
    return Reply(200, wire.success(json.dumps(found, ensure_ascii=False)))


def is_known(path: str) -> bool:
    """Whether a path is one of these."""
    name = path.removeprefix(PREFIX)
    fixed = {*TEXTS, *LISTS, *NOTHING, "status/buildinfo", "format_query"}
    return path == FEDERATE or (
        path.startswith(PREFIX) and (name in fixed or VALUES.fullmatch(name) is not None)
    )


def _query(store: Store, asked: Asked) -> str:
    at = asked.moment("time", rules.milliseconds(asked.now))
    tree = queries.parsed(asked.text("query"))
    found = queries.evaluated(store, tree, rules.at(at), asked.budget)
    return wire.query_data(found, asked.whole("limit"))


def _query_range(store: Store, asked: Asked) -> str:
    for name in ("start", "end", "step"):
        if not asked.text(name):
            raise RangeInvalid(why=f'invalid parameter "{name}": cannot parse "" to a number')
    start, end = asked.moment("start", 0), asked.moment("end", 0)
    grid = rules.grid(start, end, _step("step", asked.text("step")), asked.limits.points)
    tree = queries.parsed(asked.text("query"), is_range=True)
    found = queries.in_order(queries.evaluated(store, tree, grid, asked.budget))
    return wire.query_data(found, asked.whole("limit"))


def _series(store: Store, asked: Asked) -> list[dict[str, str]]:
    if not asked.many("match[]"):
        raise RangeInvalid(why="no match[] parameter provided")
    found = queries.series(store, asked.many("match[]"), span=asked.span, budget=asked.budget)
    return found[: asked.whole("limit") or SERIES_MAX]


def _labels(store: Store, asked: Asked) -> list[str]:
    found = queries.labels(store, asked.many("match[]"), span=asked.span, budget=asked.budget)
    return found[: asked.whole("limit") or SERIES_MAX]


def _values(store: Store, asked: Asked, name: str) -> list[str]:
    name = _unescaped(name)
    selectors = asked.many("match[]")
    found = queries.label_values(store, name, selectors, span=asked.span, budget=asked.budget)
    return found[: asked.whole("limit") or SERIES_MAX]


def _unescaped(name: str) -> str:
    """A name of any characters comes as U__ and numbers in hexadecimal between underscores."""
    if not name.startswith("U__"):
        return name
    text = re.sub(r"_([0-9a-fA-F]{1,6})_", lambda one: chr(int(one[1], 16)), name[3:])
    return text.replace("__", "_")


def _metadata(store: Store, asked: Asked) -> dict[str, list[dict[str, str]]]:
    most = asked.whole("limit") or SERIES_MAX
    rows = queries.metadata(store, metric=asked.text("metric"), most=most)
    return {row.pop("metric"): [row] for row in rows}


def _exemplars(store: Store, asked: Asked) -> list[dict[str, Any]]:
    found = queries.exemplars(store, asked.text("query"), span=asked.span, budget=asked.budget)
    return [
        {
            "seriesLabels": one.series,
            "exemplars": [
                {
                    "labels": example["labels"],
                    "value": wire.number(example["value"]),
                    "timestamp": rules.milliseconds(example["at"]) / 1000,
                }
                for example in one.examples
            ],
        }
        for one in found
    ]


def _federate(store: Store, asked: Asked) -> str:
    at = rules.milliseconds(asked.now)
    found = queries.newest(store, asked.many("match[]"), at=at, budget=asked.budget)
    types = {row["metric"]: row["type"] for row in queries.metadata(store)}
    return "".join(wire.exposition(values, times, types) for values, times in found)


def _build() -> dict[str, str]:
    """Clients ask which functions they may use: those of this version of Prometheus."""
    return {
        "version": "3.4.0",
        "revision": f"steerway-{__version__}",
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    }


TEXTS: Final = {"query": _query, "query_range": _query_range}
LISTS: Final[dict[str, Callable[[Store, Asked], Any]]] = {
    "series": _series,
    "labels": _labels,
    "metadata": _metadata,
    "query_exemplars": _exemplars,
}


def _moment(name: str, text: str) -> int:
    try:
        found = round(float(text) * 1000)
    except ValueError:
        try:
            found = rules.milliseconds(_aware(datetime.fromisoformat(text.replace("Z", "+00:00"))))
        except ValueError as error:
            why = f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp'
            raise RangeInvalid(why=why) from error
    except OverflowError as error:
        raise RangeInvalid(why=f'invalid parameter "{name}": {text} is no moment') from error
    return max(EARLIEST_MS, min(LATEST_MS, found))


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment


def _step(name: str, text: str) -> int:
    """A length of time: seconds, or as 5m."""
    try:
        if DURATION.fullmatch(text):
            return parsing.milliseconds(parse_duration(text))
        return round(float(text) * 1000)
    except (ValueError, OverflowError) as error:
        why = f'invalid parameter "{name}": cannot parse "{text}" to a valid duration'
        raise RangeInvalid(why=why) from error
