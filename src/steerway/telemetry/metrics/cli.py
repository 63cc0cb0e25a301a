"""Metrics in the terminal."""

import math
import re
from datetime import timedelta
from typing import Any, Final

import click

from steerway.platform import clock
from steerway.platform.terminal import connect, json_option, print_json, print_table
from steerway.platform.terminal import query as address

BARS: Final = "▁▂▃▄▅▆▇█"
NONE: Final = "No series has a value there."
COLUMNS: Final = 60  # of a line of bars
POINTS: Final = 240
SMALL, LARGE = 1e-3, 1e6
LENGTH: Final = re.compile(r"(\d+)([smhdw])")
UNITS: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


@click.command()
@click.argument("expression")
@click.option("--at", default="", help="At this moment: seconds since 1970, or 2026-11-24T12:00Z.")
@click.option("--since", default="", help="Over this long until then, as 1h; one moment otherwise.")
@click.option("--step", default="", help="With this much between moments, as 15s.")
@json_option
def query(expression: str, at: str, since: str, step: str, as_json: bool) -> None:
    """Ask for metrics in PromQL: a value for each series, or lines with --since.

    EXPRESSION, such as 'rate(http_requests_total[5m])'.
    """
    found = _over(expression, at, since, step) if since else _now(expression, at)
    if as_json:
        print_json(found)
    elif found["resultType"] == "matrix":
        print_table(["series", "", "last", "least", "most"], _lines(found["result"]), empty=NONE)
    elif found["resultType"] == "vector":
        rows = [[_named(one["metric"]), _newest(one)] for one in found["result"]]
        print_table(["series", "value"], rows, empty=NONE)
    else:
        click.echo(found["result"][1])


def _now(expression: str, at: str) -> dict[str, Any]:
    found: dict[str, Any] = connect().get(address("/api/v1/query", query=expression, time=at))
    return dict(found["data"])


def _over(expression: str, at: str, since: str, step: str) -> dict[str, Any]:
    length = _length(since, "--since")
    end = at or f"{clock.now().timestamp():.3f}"
    each = _length(step, "--step") if step else max(length / POINTS, timedelta(seconds=1))
    where = address(
        "/api/v1/query_range",
        query=expression,
        start=_before(end, length),
        end=end,
        step=f"{each.total_seconds():g}",
    )
    return dict(connect().get(where)["data"])


def _length(text: str, option: str) -> timedelta:
    """A length of time as 90s, 15m, 1h30m or 7d."""
    parts = LENGTH.findall(text)
    if not parts or LENGTH.sub("", text):
        raise click.BadParameter(
            f"{text} is no length of time; write 90s, 15m or 1h30m", param_hint=option
        )
    return sum((int(number) * UNITS[unit] for number, unit in parts), timedelta())


def _before(end: str, length: timedelta) -> str:
    """The moment so long before another, in seconds since 1970."""
    from datetime import datetime  # noqa: PLC0415 -- for moments that are written out only

    try:
        seconds = float(end)
    except ValueError:
        try:
            seconds = datetime.fromisoformat(end.replace("Z", "+00:00")).timestamp()
        except ValueError as error:
            raise click.BadParameter(f"{end} is no moment", param_hint="--at") from error
    return f"{seconds - length.total_seconds():.3f}"


def _lines(result: list[dict[str, Any]]) -> list[list[str]]:
    rows = []
    for one in result:
        numbers = [float(value) for _, value in one.get("values", [])]
        finite = [number for number in numbers if math.isfinite(number)]
        if not finite:
            rows.append([_named(one["metric"]), "", _shown(numbers[-1]) if numbers else "", "", ""])
            continue
        shown = [_shown(number) for number in (numbers[-1], min(finite), max(finite))]
        rows.append([_named(one["metric"]), sparkline(numbers), *shown])
    return rows


def sparkline(numbers: list[float]) -> str:
    """Numbers as bars between the least and the most of them; nothing where there is none."""
    width = max(1, math.ceil(len(numbers) / COLUMNS))
    groups = [numbers[at : at + width] for at in range(0, len(numbers), width)]
    means = [_mean(group) for group in groups]
    finite = [mean for mean in means if math.isfinite(mean)]
    low, high = min(finite), max(finite)
    span = (high - low) or 1.0
    return "".join(
        BARS[round((mean - low) / span * (len(BARS) - 1))] if math.isfinite(mean) else " "
        for mean in means
    )


def _mean(numbers: list[float]) -> float:
    finite = [number for number in numbers if math.isfinite(number)]
    return sum(finite) / len(finite) if finite else math.nan


def _newest(one: dict[str, Any]) -> str:
    if "value" in one:
        return _shown(float(one["value"][1]))
    found = one["histogram"][1]
    return f"{found['count']} observations, sum {found['sum']}"


def _shown(number: float) -> str:
    """A number as people read it."""
    if not math.isfinite(number) or number == 0:
        return f"{number:g}"
    if number == int(number) and abs(number) < LARGE:
        return str(int(number))
    return f"{number:.4g}" if SMALL <= abs(number) < LARGE else f"{number:.3e}"


def _named(labels: dict[str, str]) -> str:
    rest = ", ".join(f'{key}="{value}"' for key, value in labels.items() if key != "__name__")
    name = labels.get("__name__", "")
    return f"{name}{{{rest}}}" if rest or not name else name
