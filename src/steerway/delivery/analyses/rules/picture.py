"""The evidence of an analysis as one SVG file that needs nothing else. Pure.

It follows the reader's theme by a media query, so it can stand in a report as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from itertools import pairwise
from textwrap import wrap
from typing import Any, Final

from steerway.delivery.analyses.rules import telling
from steerway.delivery.analyses.rules.lines import share

WIDTH: Final = 960
LEFT, RIGHT = 64, 232  # room for the numbers of the axis, and for the names of the lines
SENTENCE: Final = 112  # characters of a line
EVIDENCE: Final = 190
FAILURES: Final = 96
SEEN_MIN: Final = 0.005  # of the way to a rollback: below it, a line lies on the axis
NAMES_APART: Final = 15
FAILED_LEAST: Final = 0.02  # so that one failure does not fill a picture
COLOURS: Final = 5
WIDE: Final = 34  # pixels of a part of the ribbon in which its share can be read
STYLE: Final = """
  svg { --ink: #14202b; --soft: #4b5965; --line: #dde3e8; --page: #ffffff; --brand: #007a94;
    --old: #8a5bc7; --bad: #c8323f; --good: #1c7a4c; --warn: #8a5a00; --idle: #4b5965;
    --info: #007a94; --m0: #14202b; --m1: #c8323f; --m2: #b07800; --m3: #4a3aa8; --m4: #2f7fd0 }
  @media (prefers-color-scheme: dark) { svg { --ink: #eef3f6; --soft: #a9b6c0; --line: #33424e;
    --page: #121b23; --brand: #4fc3d9; --old: #b79be6; --bad: #ff7d84; --good: #5fd39a;
    --warn: #f0c05a; --idle: #a9b6c0; --info: #4fc3d9; --m0: #eef3f6; --m1: #ff7d84;
    --m2: #f0c05a; --m3: #a596f0; --m4: #7db8f2 } }
  text { font: 12px Inter, system-ui, sans-serif; fill: var(--ink) }
  .page { fill: var(--page) } .soft { fill: var(--soft) }
  .head { font-size: 13px; font-weight: 600 }
  .title { font-size: 19px; font-weight: 650 } .answer { font-size: 15px; font-weight: 600 }
  .grid { stroke: var(--line) } .edge { stroke: var(--bad); stroke-dasharray: 6 4 }
  .move { stroke: var(--soft); stroke-dasharray: 2 4 } .end { text-anchor: end }
  .drawn { fill: none; stroke-width: 2; stroke-linejoin: round } .mid { text-anchor: middle }
  .ribbon { fill: var(--brand) } .on { font-weight: 600 }
"""

Points = Sequence[Mapping[str, Any]]
Line = tuple[str, str, list[float | None]]  # name, colour, values


def svg(found: Mapping[str, Any]) -> str:
    """The picture of what the API says of an analysis."""
    known = telling.facts(found)
    said = telling.headline(known)
    sentences = wrap(said.why, SENTENCE)
    where = f"{found['service']} {found['version']} beside {found['stable_version']}"
    body = [
        _text(24, 38, f"{where} in {found['environment']}", "title"),
        _text(24, 66, said.words, "answer", f"fill: var(--{said.tone})"),
        *(_text(24, 86 + 17 * at, one, "soft") for at, one in enumerate(sentences)),
    ]
    top = 96 + 17 * len(sentences)
    points: Points = found["points"]
    if points:
        body += _drawn(found, points, top)
        top += EVIDENCE + FAILURES + 134
        body += _table(found, points[-1], top)
        top += 20 * (len(points[-1]["metrics"]) + 1)
    begun = datetime.fromisoformat(found["begun_at"]).strftime("%Y-%m-%d %H:%M:%S UTC")
    body.append(_text(24, top + 26, f"{found['ref']}, begun {begun}. Drawn by Steerway.", "soft"))
    return _page(where, said.words, top + 44, body)


def _page(where: str, words: str, height: int, body: Sequence[str]) -> str:
    """The sheet with everything on it, named for whoever cannot see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label="{escape(f"{where}: {words}")}">\n'
        f'<style>{STYLE}</style>\n<rect class="page" width="{WIDTH}" height="{height}"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _drawn(found: Mapping[str, Any], points: Points, top: int) -> Iterator[str]:
    """The ribbon of shares, the evidence below it, and the failures of both versions."""
    yield _text(24, top + 14, "Share of the traffic", "head")
    yield from _ribbon(points, top + 22)
    evidence = top + 62
    yield _text(24, evidence - 4, "Evidence that it is worse, on the way to a rollback", "head")
    yield from _plot(points, _evidence(points), evidence + 8, EVIDENCE - 24, 1.0)
    edge = _y(1.0, 1.0, evidence + 8, EVIDENCE - 24)
    yield f'<path class="edge" d="M{LEFT} {edge}H{WIDTH - RIGHT}"/>'
    yield _text(LEFT + 6, edge + 15, "rolled back from here on", "", "fill: var(--bad)")
    failures = evidence + EVIDENCE + 14
    yield _text(24, failures, "Failed requests since the step began, hidden ones too", "head")
    lines = _failures(found, points)
    most = max(FAILED_LEAST, *(value or 0 for _, _, values in lines for value in values))
    yield from _plot(points, lines, failures + 12, FAILURES - 10, most)
    for at, end in ((points[0], "start"), (points[-1], "end")):
        x, y = _x(points, at), failures + FAILURES + 22
        yield f'<text class="soft" x="{x}" y="{y}" text-anchor="{end}">{at["second"]} s</text>'


def _ribbon(points: Points, top: int) -> Iterator[str]:
    starts = [points[0], *(b for a, b in pairwise(points) if a["percent"] != b["percent"])]
    for one, following in zip(starts, [*starts[1:], points[-1]], strict=True):
        x, until = _x(points, one), _x(points, following)
        strength = 0.18 + 0.4 * one["percent"] / 100
        width = max(until - x, 1)
        yield (
            f'<rect class="ribbon" x="{x}" y="{top}" width="{width:.1f}" height="18" '
            f'fill-opacity="{strength:.2f}"><title>{one["percent"]:g} %</title></rect>'
        )
        if width >= WIDE:
            yield _text(x + width / 2, top + 13, f"{one['percent']:g} %", "on mid")


def _evidence(points: Points) -> list[Line]:
    lines: list[Line] = [("All together", "--m0", [one["nearness"] for one in points])]
    for metric in points[-1]["metrics"]:
        values = [_of(one, metric["name"], "nearness") for one in points]
        if max(value or 0 for value in values) > SEEN_MIN:
            lines.append((metric["title"], f"--m{min(len(lines), COLOURS - 1)}", values))
    return lines[: COLOURS + 1]


def _failures(found: Mapping[str, Any], points: Points) -> list[Line]:
    def ratios(side: str) -> list[float | None]:
        counts = [
            (_of(p, "errors", f"bad_{side}"), _of(p, "errors", f"requests_{side}")) for p in points
        ]
        return [bad / trials if bad is not None and trials else None for bad, trials in counts]

    return [
        (found["version"], "--brand", ratios("new")),
        (found["stable_version"], "--old", ratios("old")),
    ]


def _of(point: Mapping[str, Any], name: str, field: str) -> float | None:
    return next((float(one[field]) for one in point["metrics"] if one["name"] == name), None)


def _plot(
    points: Points, lines: Sequence[Line], top: int, height: int, most: float
) -> Iterator[str]:
    """Lines over the seconds, with two numbers at the axis and their names at the right."""
    for value in (0.0, most):
        y = _y(value, most, top, height)
        yield f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>'
        yield _text(LEFT - 8, y + 4, f"{100 * value:.3g} %", "soft end")
    for before, after in pairwise(points):
        if before["percent"] != after["percent"]:
            yield f'<path class="move" d="M{_x(points, after)} {top}v{height}"/>'
    for _, colour, values in reversed(lines):
        path = _path(points, values, most, top, height)
        yield f'<path class="drawn" stroke="var({colour})" d="{path}"/>'
    yield from _names(lines, most, top, height)


def _path(
    points: Points, values: Sequence[float | None], most: float, top: int, height: int
) -> str:
    """A line that is broken where nothing is known."""
    found, is_down = [], False
    for point, value in zip(points, values, strict=True):
        if value is not None:
            place = f"{_x(points, point)} {_y(min(value, most), most, top, height)}"
            found.append(f"{'L' if is_down else 'M'}{place}")
        is_down = value is not None
    return "".join(found)


def _names(lines: Sequence[Line], most: float, top: int, height: int) -> Iterator[str]:
    """Each beside the end of its line, as far apart as can be read."""
    ends = [(next((v for v in reversed(values) if v is not None), 0.0), name, colour)
            for name, colour, values in lines]  # fmt: skip
    y = float(top + height + 4 + NAMES_APART)
    for value, name, colour in sorted(ends, key=lambda one: one[0]):
        y = min(_y(min(value, most), most, top, height) + 4, y - NAMES_APART)
        words = f"{name} {share(value) if most != 1.0 else f'{100 * value:.0f} %'}"
        yield _text(WIDTH - RIGHT + 10, y, words, "", f"fill: var({colour})")


def _table(found: Mapping[str, Any], last: Mapping[str, Any], top: int) -> Iterator[str]:
    columns = (
        (420, found["version"]),
        (560, found["stable_version"]),
        (700, "evidence"),
        (820, "proof"),
    )
    yield _text(24, top, "At the end", "head")
    for x, name in columns:
        yield _text(x, top, name, "soft end")
    for at, row in enumerate(telling.rows(last["metrics"])):
        y = top + 20 * (at + 1)
        yield _text(24, y, row.title)
        values = (share(row.new), share(row.old), f"{100 * row.nearness:.0f} %", row.proof)
        for (x, _), value in zip(columns, values, strict=True):
            yield _text(x, y, value, "end")


def _x(points: Points, point: Mapping[str, Any]) -> float:
    first, last, here = (float(one["second"]) for one in (points[0], points[-1], point))
    return round(LEFT + (here - first) / max(last - first, 1) * (WIDTH - RIGHT - LEFT), 1)


def _y(value: float, most: float, top: int, height: int) -> float:
    return round(top + height * (1 - value / most), 1)


def _text(x: float, y: float, words: str, kind: str = "", style: str = "") -> str:
    marks = (f' class="{kind}"' if kind else "") + (f' style="{style}"' if style else "")
    return f'<text x="{x:g}" y="{y:g}"{marks}>{escape(words)}</text>'
